// The backend of duel_emulated_tests. Each variant is another order in which the emulator runs blocks, warps and lanes.
#include "emulator/device.h"
#include "tests/support/op_runner.h"

namespace duel::test {

namespace {

std::shared_ptr<Context> open(int variant) {
  emulator::Options& options = emulator::options();
  options.order = variant == 0   ? emulator::Order::forward
                  : variant == 1 ? emulator::Order::reverse
                                 : emulator::Order::random;
  options.seed = static_cast<std::uint64_t>(variant);
  static const auto context = std::make_shared<Context>(Context::cuda());
  return context;
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> list{{"emulated", {0, 1, 2, 3}, true, open}};
  return list;
}

}  // namespace duel::test
