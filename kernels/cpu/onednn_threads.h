// oneDNN on the threads of a context. oneDNN brings no threads: Debian's asks libgomp for them, whose threads wait by
// spinning for milliseconds, and stay in the way of everything else that wants their processors.
//
// While an OnednnThreads lives, the calling thread's parallel regions run on the context's team instead: the few
// functions that oneDNN calls of libgomp are defined in onednn_threads.cpp, in the program itself, where the dynamic
// linker looks first. Elsewhere they pass on to libgomp, as if they were not there. With a oneDNN that brings threads
// of its own (another runtime), nothing calls them.
#pragma once

#include "kernels/cpu/team.h"

namespace duel {

class OnednnThreads {
public:
  // `threads` is at most team.threads(): what oneDNN gets, always in full, since its sums depend on how many there are.
  OnednnThreads(Team& team, int threads);
  ~OnednnThreads();
  OnednnThreads(const OnednnThreads&) = delete;
  OnednnThreads& operator=(const OnednnThreads&) = delete;

  // Regions of several threads that ran on a team so far, in all threads together: shows that oneDNN finds us.
  static long regions();
};

}  // namespace duel
