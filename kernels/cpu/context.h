// The CPU backend's own context: how many threads, scratch memory, and the cache of oneDNN primitives.
#pragma once

#include "kernels/context.h"

#include <cstddef>
#include <memory>

namespace duel {

class OnednnCache;
class Team;

class CpuContext {
public:
  CpuContext(int threads, KernelChoice choice);
  ~CpuContext();
  CpuContext(const CpuContext&) = delete;
  CpuContext& operator=(const CpuContext&) = delete;

  int threads() const { return threads_; }
  Team& team() const { return *team_; }
  bool is_vendor_only() const { return choice_ == KernelChoice::vendor; }
  OnednnCache& onednn() { return *onednn_; }

  // Scratch that one operator uses while it runs. `reserve` makes it at least so large, and may move it.
  void reserve_scratch(std::size_t bytes);
  void* scratch() const { return scratch_.get(); }
  std::size_t workspace_bytes() const;

  // Always at hand without reserving: partial results of reductions.
  static constexpr std::size_t kPartialBytes = std::size_t{1} << 20;
  void* partials() const { return partials_.get(); }

private:
  struct Free {
    void operator()(void* data) const;
  };
  int threads_;
  KernelChoice choice_;
  std::unique_ptr<Team> team_;
  std::unique_ptr<OnednnCache> onednn_;
  std::unique_ptr<void, Free> scratch_, partials_;
  std::size_t scratch_bytes_ = 0;
};

// 64-byte aligned memory from the C library; throws kind `device` where it cannot be had. Free with std::free.
void* allocate_aligned(std::size_t bytes);

}  // namespace duel
