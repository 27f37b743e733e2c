// Elements of arrays as the libraries of the tests' own read and write them, and how they are made to misbehave.
#pragma once

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

namespace duel::test {

inline double load(const void* data, bool is_bf16, std::size_t i) {
  float value = 0;
  if (is_bf16) {
    std::uint16_t upper = 0;
    std::memcpy(&upper, static_cast<const char*>(data) + 2 * i, 2);
    const std::uint32_t bits = std::uint32_t{upper} << 16;
    std::memcpy(&value, &bits, 4);
  } else {
    std::memcpy(&value, static_cast<const char*>(data) + 4 * i, 4);
  }
  return value;
}

inline void store(void* data, bool is_bf16, std::size_t i, double value) {
  const auto rounded = static_cast<float>(value);
  if (is_bf16) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &rounded, 4);
    const std::uint32_t to_even = bits + 0x7FFF + ((bits >> 16) & 1);
    const auto upper = static_cast<std::uint16_t>((std::isnan(rounded) ? bits | 0x400000 : to_even) >> 16);
    std::memcpy(static_cast<char*>(data) + 2 * i, &upper, 2);
  } else {
    std::memcpy(static_cast<char*>(data) + 4 * i, &rounded, 4);
  }
}

// sums[i] += factor * values[i], in memory of the library's own. All else here reads and writes what it is given, where
// a wrong description of an array has to meet the sanitizers; this takes nearly all of the time.
[[gnu::no_sanitize("address", "undefined")]] inline void add_multiple(double factor, const double* values,
                                                                      std::int64_t count, double* sums) {
  for (std::int64_t i = 0; i < count; ++i) {
    sums[i] += factor * values[i];
  }
}

// Whether the first run of something on a stream would be part of a capture: it may load code, which that forbids.
inline bool is_first_run_in_capture(std::set<cudaStream_t>& has_run_on, cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cudaStreamIsCapturing(stream, &status);
  return has_run_on.insert(stream).second && status != cudaStreamCaptureStatusNone;
}

inline bool is_aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
}

// $DUEL_FAKE_VENDOR:
//
//   unsupported   there is no algorithm for anything        broken   all fails when it is queued
//   single        there is one algorithm only               unfused  one, and none for several operations, as a bias
//   wrong         the first algorithm is off by 1 %         restless the first algorithm never gives the same bytes
//   failing       descriptors are refused                   faltering the first algorithm fails when it is queued
//   specked       the last element that the first algorithm writes is wrong
inline bool mood_is(const char* mood) {
  const char* const given = std::getenv("DUEL_FAKE_VENDOR");
  return given != nullptr && std::string(given) == mood;
}

}  // namespace duel::test
