// The backend of duel_emulated_tests. Each variant is another order in which the emulator runs blocks, warps and lanes.
#include "emulator/device.h"
#include "tests/support/op_runner.h"

namespace duel::test {

namespace {

void choose_order(int variant) {
  emulator::Options& options = emulator::options();
  options.order = variant == 0   ? emulator::Order::forward
                  : variant == 1 ? emulator::Order::reverse
                                 : emulator::Order::random;
  options.seed = static_cast<std::uint64_t>(variant);
}

std::shared_ptr<Context> open(int variant) {
  choose_order(variant);
  static const auto context = std::make_shared<Context>(Context::cuda());
  return context;
}

std::shared_ptr<Context> open_tf32(int variant) {
  choose_order(variant);
  static const auto context = std::make_shared<Context>(Context::cuda(0, true));
  return context;
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> list{{"emulated", {0, 1, 2, 3}, true, open},
                                         {"emulated_tf32", {0, 2}, true, open_tf32, true}};
  return list;
}

}  // namespace duel::test
