// The signals that ask a training to stop, as a question that it asks between steps.
//
// Every signal by which people, shells, terminals and schedulers end a program counts: SIGINT, SIGTERM, SIGHUP,
// SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU and SIGPWR. The first one is noted. What comes within two seconds of it
// is its echo (`timeout`, shells and Slurm send the process and its group) and changes nothing. A later one gives up
// waiting for the checkpoint: it says so and ends the process at once. A lost reader (SIGPIPE) and a limit of file
// sizes (SIGXFSZ) are no such question: the call that meets them fails, and its caller decides. SIGHUP that was ignored
// before, as under nohup, stays ignored.
#pragma once

#include <string>

namespace duel {

// While one lives, signals are handled so. They may be nested; the outermost puts back what was there before it.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
  static std::string signal_name();  // of the one that was noted: "SIGTERM"
  // An open file that is told too when a later signal gives up waiting; -1: none.
  static void tell(int descriptor);
};

inline constexpr int kInterruptedExitCode = 130;  // as shells report a process that SIGINT ended
inline constexpr int kGaveUpExitCode = 131;       // by a later signal, without the checkpoint

}  // namespace duel
