// Runs every planted fault, and its twin without the fault, under several schedules, each in a process of its own, and
// compares what noticed it with what must. With a fault's name as the argument, only that one, and what it says.
#include "emulator/faults/fault.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

using duel::emulator::Order;
using duel::faults::Fault;
using duel::faults::Results;
using duel::faults::Verdict;

// Sanitizers look for their options here.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";  // an Error gives up stacks, and with them what is on them
}
extern "C" const char* __tsan_default_options() {
  return "halt_on_error=1:atexit_sleep_ms=0";
}

namespace {

// ThreadSanitizer and MemorySanitizer see most faults under any schedule, and a process takes them 0.2 seconds.
#if DUEL_EMULATOR_TSAN || DUEL_EMULATOR_MSAN
constexpr duel::emulator::Options kSchedules[] = {{Order::reverse, 1}, {Order::greedy, 1}};
#else
constexpr duel::emulator::Options kSchedules[] = {{Order::forward, 1}, {Order::reverse, 1}, {Order::random, 1},
                                                  {Order::random, 2},  {Order::greedy, 1},  {Order::greedy, 2}};
#endif

#if DUEL_EMULATOR_ASAN
constexpr const char* kConfiguration = "AddressSanitizer, UBSan";
constexpr Verdict Fault::*kExpected = &Fault::asan;
#elif DUEL_EMULATOR_TSAN
constexpr const char* kConfiguration = "ThreadSanitizer";
constexpr Verdict Fault::*kExpected = &Fault::tsan;
#elif DUEL_EMULATOR_MSAN
constexpr const char* kConfiguration = "MemorySanitizer";
constexpr Verdict Fault::*kExpected = &Fault::msan;
#else
constexpr const char* kConfiguration = "no sanitizer";
constexpr Verdict Fault::*kExpected = &Fault::plain;
#endif

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::silence: return "-";
    case Verdict::wrong: return "wrong";
    case Verdict::error: return "error";
    case Verdict::sanitizer: return "sanitizer";
    case Verdict::crash: return "crash";
  }
  return "?";
}

// In the child: the exit code says what happened.
int judge(const Fault& fault, bool is_faulty, const duel::emulator::Options& options) {
  duel::emulator::options() = {};
  const Results expected = fault.run(false);
  duel::emulator::options() = options;
  try {
    const Results got = fault.run(is_faulty);
    const bool is_same = std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0;
    return static_cast<int>(is_same ? Verdict::silence : Verdict::wrong) + 10;
  } catch (const duel::emulator::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(Verdict::error) + 10;
  }
}

Verdict run(const Fault& fault, bool is_faulty, const duel::emulator::Options& options, bool is_verbose) {
  std::fflush(stdout);  // or the child would write it once more
  const pid_t child = fork();
  if (child == 0) {
    if (!is_verbose && std::freopen("/dev/null", "w", stderr) == nullptr) {
      _exit(1);
    }
    _exit(judge(fault, is_faulty, options));
  }
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (code >= 10 && code <= 12) {
    return static_cast<Verdict>(code - 10);
  }
  return duel::emulator::kIsSanitized ? Verdict::sanitizer : Verdict::crash;
}

int check(const Fault& fault, bool is_verbose) {
  int problems = 0;
  bool is_noticed = fault.*kExpected == Verdict::silence;
  std::printf("%-36s", fault.name);
  for (const duel::emulator::Options& options : kSchedules) {
    const Verdict clean = run(fault, false, options, is_verbose);
    const Verdict verdict = run(fault, true, options, is_verbose);
    is_noticed = is_noticed || verdict == fault.*kExpected;
    std::printf(" %-9s", to_string(verdict));
    if (clean != Verdict::silence) {
      std::printf(" FALSE ALARM without the fault: %s", to_string(clean));
      ++problems;
    }
  }
  if (!is_noticed) {
    std::printf(" NOT NOTICED: expected %s", to_string(fault.*kExpected));
    ++problems;
  }
  std::printf("\n");
  std::fflush(stdout);
  return problems;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<Fault> faults;
  for (const auto& some : {duel::faults::bounds_faults(), duel::faults::undefined_faults(),
                           duel::faults::barrier_faults(), duel::faults::cluster_faults(), duel::faults::warp_faults(),
                           duel::faults::race_faults(), duel::faults::copy_faults()}) {
    faults.insert(faults.end(), some.begin(), some.end());
  }
  std::printf("%-36s", kConfiguration);
  for (const duel::emulator::Options& options : kSchedules) {
    std::printf(" %-9s", duel::emulator::to_string(options.order));
  }
  std::printf("\n");
  int problems = 0, run_faults = 0;
  for (const Fault& fault : faults) {
    const bool is_wanted = count < 2 || std::strcmp(arguments[1], fault.name) == 0;
    if (is_wanted) {
      problems += check(fault, count >= 2);
      ++run_faults;
    }
    if (fault.plain == Verdict::silence && fault.asan == Verdict::silence && fault.tsan == Verdict::silence &&
        fault.msan == Verdict::silence) {
      std::printf("%s: nothing must notice it\n", fault.name);
      ++problems;
    }
  }
  std::printf("%d faults, %d problems\n", run_faults, problems);
  return problems == 0 && run_faults > 0 ? 0 : 1;
}
