// The backends of duel_emulated_tests. A variant is an order in which the emulator runs blocks, warps and lanes:
// forward, reverse, then random and greedy in turn, each with its number as the seed. DUEL_EMULATOR_VARIANTS=20 in the
// environment runs 20 of them instead of 4. The second of each backend is a device without clusters of blocks: the sums
// that blocks share are the same bytes there, for on so few multiprocessors one cluster is enough.
//
// No order is run twice: the next one has to give the same bytes in other memory. Under AddressSanitizer each case runs
// once, forward, or greedily with TF32. What other orders show are wrong values, for which the build without sanitizers
// looks; the addresses that a kernel reaches are the same in each.
#include "emulator/options.h"
#include "emulator/runtime.h"
#include "emulator/sanitizers.h"
#include "tests/support/op_runner.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace duel::test {

namespace {

std::vector<int> variants(int from) {
  const char* count = std::getenv("DUEL_EMULATOR_VARIANTS");
  if (DUEL_EMULATOR_ASAN && count == nullptr) {
    return {from == 0 ? 0 : 3};
  }
  std::vector<int> list(static_cast<std::size_t>(count == nullptr ? 4 : std::max(4, std::atoi(count))) - from);
  std::iota(list.begin(), list.end(), from);
  return list;
}

void choose_order(int variant) {
  constexpr emulator::Order kFirst[] = {emulator::Order::forward, emulator::Order::reverse};
  constexpr emulator::Order kOthers[] = {emulator::Order::random, emulator::Order::greedy};
  emulator::options() = {variant < 2 ? kFirst[variant] : kOthers[variant % 2], static_cast<std::uint64_t>(variant)};
}

std::shared_ptr<Context> make_context(bool tf32, bool has_clusters) {
  const bool had_clusters = std::exchange(emulator::runtime().has_clusters, has_clusters);
  const auto context = std::make_shared<Context>(Context::cuda(0, tf32));
  emulator::runtime().has_clusters = had_clusters;
  return context;
}

std::shared_ptr<Context> open(int variant) {
  choose_order(variant);
  if (variant == 1) {
    static const auto without = make_context(false, false);
    return without;
  }
  static const auto context = make_context(false, true);
  return context;
}

std::shared_ptr<Context> open_tf32(int variant) {
  choose_order(variant);
  if (variant == 3) {
    static const auto without = make_context(true, false);
    return without;
  }
  static const auto context = make_context(true, true);
  return context;
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> list{{"emulated", variants(0), true, open, false, false},
                                         {"emulated_tf32", variants(2), true, open_tf32, true, false}};
  return list;
}

}  // namespace duel::test
