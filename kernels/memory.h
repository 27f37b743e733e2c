// Device memory with an owner.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace duel {

// Bytes on a context's device, released with the object. The context must outlive it.
class Buffer {
public:
  Buffer() = default;
  Buffer(Context& context, std::size_t bytes) : context_(&context), data_(context.allocate(bytes)), bytes_(bytes) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) {
      context_->release(data_);
    }
  }

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  View view(const Shape& shape, DType dtype, std::size_t offset_bytes = 0) const {
    return {static_cast<std::byte*>(data_) + offset_bytes, shape, dtype};
  }
  void clear() { context_->clear(data_, bytes_); }

private:
  void swap(Buffer& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  Context* context_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// A device array copied to the host. The view's type must have the size of T.
template <class T>
std::vector<T> download(Context& context, const View& view) {
  std::vector<T> values(view.bytes() / sizeof(T));
  context.synchronize();
  context.download(values.data(), view.data, view.bytes());
  return values;
}

template <class T>
void upload(Context& context, const View& view, std::span<const T> values) {
  context.upload(view.data, values.data(), values.size_bytes());
}

}  // namespace duel
