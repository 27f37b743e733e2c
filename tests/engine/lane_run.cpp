#include "tests/engine/lane_run.h"

#include <algorithm>
#include <random>
#include <utility>

namespace duel::test {

LaneRun::LaneRun(Context& context, Program program, const LaneRequest& request, Storage storage)
    : context_(context),
      program_(std::move(program)),
      storage_(std::move(storage)),
      lanes_(plan_lanes(program_, request)),
      memory_(plan_memory(program_, lanes_)),
      arena_(context, memory_.arena_bytes) {
  for (const Node& node : program_.nodes()) {
    std::vector<View> in, out;
    std::transform(node.inputs.begin(), node.inputs.end(), std::back_inserter(in), [&](Value v) { return view(v); });
    std::transform(node.outputs.begin(), node.outputs.end(), std::back_inserter(out), [&](Value v) { return view(v); });
    if (node.prepare) {
      node.prepare(context_, in, out);
    }
  }
}

View LaneRun::view(Value value) const {
  View result = program_.described(value);
  if (!value.exists()) {
    return result;
  }
  if (const Binding& bound = program_.binding(value); bound.exists()) {
    result.data = storage_.find(bound.storage)->as<std::byte>() + bound.offset;
  } else {
    const auto root = static_cast<std::size_t>(program_.root(value).id);
    result.data = static_cast<std::byte*>(arena_.data()) + memory_.offset_of_root[root];
  }
  return result;
}

std::vector<int> LaneRun::draw_order(std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  std::vector<std::vector<int>> queues(static_cast<std::size_t>(lanes_.lanes));
  for (std::size_t i = 0; i < lanes_.places.size(); ++i) {
    queues[static_cast<std::size_t>(lanes_.places[i].lane)].push_back(static_cast<int>(i));
  }
  for (std::vector<int>& queue : queues) {
    std::reverse(queue.begin(), queue.end());
  }
  std::vector<bool> is_set(static_cast<std::size_t>(lanes_.marks), false);
  if (lanes_.first_mark >= 0) {
    is_set[static_cast<std::size_t>(lanes_.first_mark)] = true;
  }
  std::vector<int> order;
  while (order.size() < lanes_.places.size()) {
    std::vector<int>& queue = queues[random() % queues.size()];
    if (queue.empty()) {
      continue;
    }
    const LanePlan::Place& place = lanes_.places[static_cast<std::size_t>(queue.back())];
    if (!std::all_of(place.awaits.begin(), place.awaits.end(),
                     [&](int mark) { return is_set[static_cast<std::size_t>(mark)]; })) {
      continue;
    }
    if (place.mark >= 0) {
      is_set[static_cast<std::size_t>(place.mark)] = true;
    }
    order.push_back(queue.back());
    queue.pop_back();
  }
  return order;
}

void LaneRun::run(std::uint64_t seed) {
  for (const int number : draw_order(seed)) {
    const Node& node = program_.nodes()[static_cast<std::size_t>(number)];
    std::vector<View> in, out;
    std::transform(node.inputs.begin(), node.inputs.end(), std::back_inserter(in), [&](Value v) { return view(v); });
    std::transform(node.outputs.begin(), node.outputs.end(), std::back_inserter(out), [&](Value v) { return view(v); });
    node.run(context_, in, out);
  }
}

bool is_before(const LanePlan& plan, int earlier, int later) {
  // Backwards from `later`, over the node before on its lane and the nodes whose marks it awaits.
  std::vector<bool> done(plan.places.size(), false);
  std::vector<int> open = {later};
  while (!open.empty()) {
    const int node = open.back();
    open.pop_back();
    const LanePlan::Place& place = plan.places[static_cast<std::size_t>(node)];
    bool is_next = true;
    for (int i = node - 1; i >= 0; --i) {
      const LanePlan::Place& other = plan.places[static_cast<std::size_t>(i)];
      const bool is_awaited =
          other.mark >= 0 && std::find(place.awaits.begin(), place.awaits.end(), other.mark) != place.awaits.end();
      if ((is_awaited || (is_next && other.lane == place.lane)) && !done[static_cast<std::size_t>(i)]) {
        done[static_cast<std::size_t>(i)] = true;
        open.push_back(i);
      }
      is_next = is_next && other.lane != place.lane;
    }
  }
  return done[static_cast<std::size_t>(earlier)];
}

}  // namespace duel::test
