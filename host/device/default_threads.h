// How many CPU threads compute where nobody said it.
#pragma once

#include <filesystem>
#include <string>

namespace duel {

struct DefaultThreads {
  int threads = 1;
  std::string why;  // "the CPU quota of 1.50 processors in /sys/fs/cgroup/cpu.max"
};

// The least of: the processors that the process may run on (as taskset and cpusets have it), its groups' CPU quota
// rounded up (cgroup.h), and OMP_NUM_THREADS, or the first number in it. A value that is no number from 1 to 4096 is
// not heeded. What others must not decide is a parameter in the second form, for tests.
DefaultThreads default_threads();
DefaultThreads default_threads(int processors, const char* omp_num_threads, const std::filesystem::path& root);

}  // namespace duel
