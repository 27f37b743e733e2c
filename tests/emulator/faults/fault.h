// A planted fault: a small program that is right, or wrong in one way, and what must notice that it is wrong.
#pragma once

#include "emulator/device.h"
#include "emulator/sanitizers.h"

#include <cstdlib>
#include <vector>

namespace duel::faults {

enum class Verdict {
  silence,    // nothing was noticed
  wrong,      // another result than the program without the fault
  error,      // the emulator threw Error
  sanitizer,  // a sanitizer ended the program
  crash,
};

using Results = std::vector<float>;

struct Fault {
  const char* name;
  // What each configuration must give for one of the schedules at least. Silence promises nothing: it may be noticed by
  // luck.
  Verdict plain, asan, tsan, msan;
  Results (*run)(bool is_faulty);
};

// Those of each file.
std::vector<Fault> bounds_faults();
std::vector<Fault> undefined_faults();
std::vector<Fault> barrier_faults();
std::vector<Fault> cluster_faults();
std::vector<Fault> warp_faults();
std::vector<Fault> race_faults();
std::vector<Fault> copy_faults();

// Memory of exact size that nobody has written.
template <class T>
class Buffer {
public:
  explicit Buffer(std::size_t count) : data_(static_cast<T*>(std::malloc(count * sizeof(T)))), count_(count) {
    emulator::fill_undefined(data_, count * sizeof(T));
  }
  Buffer(std::size_t count, T value) : Buffer(count) {
    for (std::size_t i = 0; i < count; ++i) {
      data_[i] = value;
    }
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() { return data_; }
  std::vector<T> values() const { return {data_, data_ + count_}; }

private:
  T* data_;
  std::size_t count_;
};

// 1, 2, 3, ...
class Numbers : public Buffer<float> {
public:
  explicit Numbers(std::size_t count) : Buffer(count) {
    for (std::size_t i = 0; i < count; ++i) {
      data()[i] = static_cast<float>(i + 1);
    }
  }
};

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, Arguments... arguments) {
  emulator::launch(kernel, blocks, threads, 0, nullptr, arguments...);
}

}  // namespace duel::faults
