// SIGINT and SIGTERM as a question that the training loop asks between steps.
#pragma once

namespace duel {

// While one lives, the first signal is only noted; a second one ends the process at once, as without it.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
};

inline constexpr int kInterruptedExitCode = 130;  // as shells report a process that SIGINT ended

}  // namespace duel
