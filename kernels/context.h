// Where operators run. A Context names one device of one backend; every operator takes it first.
//
// The set of backends is closed: CpuContext (kernels/cpu) and CudaContext (kernels/cuda). Operators of one
// context run in the order they are called in; on a GPU they are queued, and `synchronize` waits for them.
// A dispatcher declares its backends with DUEL_BACKENDS and calls `context.run(...)`; a backend that lacks an
// operator is a link error that names it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace duel {

class CpuContext;
class CudaContext;

// True in a build that has kernels/cuda (set by CMake), so that a build without it needs no CUDA symbol.
#ifdef DUEL_HAS_CUDA
inline constexpr bool kHasCuda = true;
#else
inline constexpr bool kHasCuda = false;
#endif

class Context {
public:
  // `threads` <= 0 takes all processors that this process may use.
  static Context cpu(int threads = 0);

  std::string name();             // "cpu (2 threads)"
  bool supports_bf16();           // bf16 matrix products in hardware
  void synchronize();             // waits until all that was queued is done
  std::size_t workspace_bytes();  // scratch that prepared operators share, apart from any arena
  std::vector<std::pair<std::string, std::string>> describe();  // device, features, libraries: for `duel info`

  void* allocate(std::size_t bytes);  // 64-byte aligned, not cleared; Error kind `device` where it does not fit
  void release(void* data);
  void upload(void* to, const void* from, std::size_t bytes);    // host to device, done when it returns
  void download(void* to, const void* from, std::size_t bytes);  // device to host, done when it returns
  void clear(void* data, std::size_t bytes);                     // zero bytes

  // Calls `call` with the backend's own context: `context.run([&](auto& backend) { op(backend, ...); })`.
  template <class Call>
  auto run(Call&& call) {
    if constexpr (kHasCuda) {
      if (auto* cuda = std::get_if<Owned<CudaContext>>(&backend_)) {
        return call(**cuda);
      }
    }
    return call(*std::get<Owned<CpuContext>>(backend_));
  }

private:
  template <class T>
  using Owned = std::unique_ptr<T, void (*)(T*)>;  // the deleter stands in the backend, which knows the type
  using Backend = std::variant<Owned<CpuContext>, Owned<CudaContext>>;
  explicit Context(Backend backend) : backend_(std::move(backend)) {}
  Backend backend_;
};

}  // namespace duel

// In kernels/<op>.cpp: declares the operator's overload of each backend. They are defined in
// kernels/cpu/<op>.cpp and kernels/cuda/<op>.cu.
#define DUEL_BACKENDS(name, ...)               \
  void name(::duel::CpuContext&, __VA_ARGS__); \
  void name(::duel::CudaContext&, __VA_ARGS__)
