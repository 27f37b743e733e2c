// How kernels/<op>.cpp reaches the backends: the only files that know which of them this build has.
//
// A dispatcher declares its backends with DUEL_BACKENDS and calls `context.run(...)`. A backend that lacks an operator
// is a link error that names it.
#pragma once

#include "kernels/context.h"

namespace duel {

// True in a build that has kernels/cuda (set by CMake for kernels/*.cpp), so that one without it needs no CUDA symbol.
#ifdef DUEL_HAS_CUDA
inline constexpr bool kHasCuda = true;
#else
inline constexpr bool kHasCuda = false;
#endif

// Calls `call` with the backend's own context: `context.run([&](auto& backend) { op(backend, ...); })`.
template <class Call>
auto Context::run(Call&& call) {
  if constexpr (kHasCuda) {
    if (auto* cuda = std::get_if<Owned<CudaContext>>(&backend_)) {
      return call(**cuda);
    }
  }
  return call(*std::get<Owned<CpuContext>>(backend_));
}

}  // namespace duel

// Declares the operator's overload of each backend. They are defined in kernels/cpu/<op>.cpp and kernels/cuda/<op>.cu.
#define DUEL_BACKENDS(name, ...)               \
  void name(::duel::CpuContext&, __VA_ARGS__); \
  void name(::duel::CudaContext&, __VA_ARGS__)
