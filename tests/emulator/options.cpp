#include "emulator/options.h"

namespace duel::emulator {

Options& options() {
  static thread_local Options options;
  return options;
}

const char* to_string(Order order) {
  switch (order) {
    case Order::forward: return "forward";
    case Order::reverse: return "reverse";
    case Order::random: return "random";
    case Order::greedy: return "greedy";
  }
  return "?";
}

}  // namespace duel::emulator
