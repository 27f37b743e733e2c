// How long one operator takes on one case (tests/support/op_case.h), on any backend and without any of its headers:
// a window is a number of calls in a row and one synchronize, by the clock on the wall.
//
// Every call takes the next of several sets of arrays, so that what one call leaves in a cache is gone when its set
// comes round again. On a GPU the host queues calls while the device works; a call shorter than its queuing is bounded
// by the host, and `queue_ms` shows it.
#pragma once

#include "kernels/context.h"
#include "tests/support/op_case.h"

namespace duel {

struct TimerOptions {
  int windows = 15;
  double window_ms = 5;     // calls of about this long make a window
  double rotate_mib = 256;  // sets of arrays until they are this large together; 0: one set
  double limit_ms = 4000;   // no further window after that long
};

struct OpTime {
  double ms = 0;        // of one call: the median of the windows
  double ms_min = 0;    // the fastest window
  double queue_ms = 0;  // what the host took to queue a call; on the CPU, the call itself
  int calls = 0;        // in a window
  int windows = 0;
  int sets = 0;
};

OpTime time_op(Context& context, const test::OpCase& op_case, const TimerOptions& options);

// Least bytes and operations of a case, from its views alone.
Cost cost_of(const test::OpCase& op_case);

}  // namespace duel
