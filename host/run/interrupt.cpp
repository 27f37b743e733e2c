#include "host/run/interrupt.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace duel {

namespace {

struct Asking {
  int number;
  const char* name;
};

constexpr std::array<Asking, 9> kAsking = {{{SIGINT, "SIGINT"},
                                            {SIGTERM, "SIGTERM"},
                                            {SIGHUP, "SIGHUP"},
                                            {SIGQUIT, "SIGQUIT"},
                                            {SIGUSR1, "SIGUSR1"},
                                            {SIGUSR2, "SIGUSR2"},
                                            {SIGALRM, "SIGALRM"},
                                            {SIGXCPU, "SIGXCPU"},
                                            {SIGPWR, "SIGPWR"}}};
constexpr std::array<int, 2> kIgnored = {SIGPIPE, SIGXFSZ};
constexpr std::int64_t kEchoNanoseconds = 2'000'000'000;

// A handler may only touch lock-free atomics, and call what POSIX lists as safe: clock_gettime, write and _exit are.
std::atomic<std::int64_t> first_at = 0;  // on the monotonic clock; 0: none came
std::atomic<int> first_signal = 0;
std::atomic<int> told = -1;
static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

std::int64_t monotonic_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void say(int descriptor, std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(descriptor, text.data(), text.size());  // nobody is left to hear
}

void on_signal(int number) {
  const int saved_errno = errno;
  const std::int64_t now = monotonic_nanoseconds();
  std::int64_t first = 0;
  if (first_at.compare_exchange_strong(first, now)) {
    first_signal = number;
  } else if (now - first > kEchoNanoseconds) {
    constexpr std::string_view kText =
        "duel: a second signal: gave up waiting for the checkpoint; the last one written is intact\n";
    say(STDERR_FILENO, kText);
    if (const int log = told; log >= 0) {
      say(log, kText);
    }
    _exit(kGaveUpExitCode);
  }
  errno = saved_errno;
}

int living = 0;  // guards
// Handlers run on a stack of their own. Without it trainings that were asked to stop died of a corrupted heap now and
// then, where oneDNN 2.6 made kernels for AVX2: those seem to keep numbers below the stack pointer, where a handler's
// frame lies.
alignas(64) std::array<std::byte, 64 * 1024> handler_stack;
stack_t stack_before{};
std::array<struct sigaction, kAsking.size()> asking_before;
std::array<struct sigaction, kIgnored.size()> ignored_before;

void install(int number, void (*handler)(int), struct sigaction& before) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const Asking& asking : kAsking) {
    sigaddset(&action.sa_mask, asking.number);  // one handler at a time: the first is the one that is named
  }
  sigaction(number, &action, &before);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (living++ > 0) {
    return;
  }
  first_at = 0;
  first_signal = 0;
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  sigaltstack(&stack, &stack_before);
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    install(kIgnored[i], SIG_IGN, ignored_before[i]);
  }
  for (std::size_t i = 0; i < kAsking.size(); ++i) {
    install(kAsking[i].number, on_signal, asking_before[i]);
    if (kAsking[i].number == SIGHUP && asking_before[i].sa_handler == SIG_IGN) {
      sigaction(SIGHUP, &asking_before[i], nullptr);
    }
  }
}

InterruptGuard::~InterruptGuard() {
  if (--living > 0) {
    return;
  }
  for (std::size_t i = 0; i < kAsking.size(); ++i) {
    sigaction(kAsking[i].number, &asking_before[i], nullptr);
  }
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    sigaction(kIgnored[i], &ignored_before[i], nullptr);
  }
  sigaltstack(&stack_before, nullptr);
}

bool InterruptGuard::requested() {
  return first_at != 0;
}

std::string InterruptGuard::signal_name() {
  for (const Asking& asking : kAsking) {
    if (asking.number == first_signal) {
      return asking.name;
    }
  }
  return "a signal";
}

void InterruptGuard::tell(int descriptor) {
  told = descriptor;
}

}  // namespace duel
