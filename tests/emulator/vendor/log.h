// What the libraries of the tests' own were asked for. There is one such log in the process, as the tests' program
// exports its symbols.
#pragma once

#include <cstdint>
#include <vector>

namespace duel::test {

struct VendorLog {
  struct Run {
    std::int64_t algorithm;
    int graph_launches;  // until then, in the process
  };
  int asked = 0;  // for what could compute a problem
  int built = 0;  // cuDNN's plans, and cuBLASLt's algorithms that were not asked for but given
  std::vector<Run> runs;
};
inline VendorLog vendor_log;

}  // namespace duel::test
