// Names for stretches of time, as NVIDIA's profilers show them (NVTX). In a build without CUDA they cost a call.
#pragma once

namespace duel {

class Range {
public:
  explicit Range(const char* name);  // until the destructor
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace duel
