#include "emulator/graph.h"

#include <algorithm>

namespace duel::emulator {

std::size_t Capture::add(Work work, const std::vector<std::size_t>& after) {
  nodes.push_back({std::move(work), after});
  return nodes.size() - 1;
}

bool Capture::are_before(const std::vector<std::size_t>& some, const std::vector<std::size_t>& tail) const {
  std::vector<bool> is_before(nodes.size(), false);
  for (const std::size_t node : tail) {
    is_before[node] = true;
  }
  for (std::size_t i = nodes.size(); i-- > 0;) {
    for (const std::size_t earlier : is_before[i] ? nodes[i].after : std::vector<std::size_t>()) {
      is_before[earlier] = true;
    }
  }
  return std::all_of(some.begin(), some.end(), [&](std::size_t node) { return is_before[node]; });
}

namespace {

class GraphRun {
public:
  explicit GraphRun(std::shared_ptr<const GraphNodes> nodes) : nodes_(std::move(nodes)), missing_(nodes_->size()) {
    followers_.resize(nodes_->size());
    for (std::size_t i = 0; i < nodes_->size(); ++i) {
      missing_[i] = (*nodes_)[i].after.size();
      for (const std::size_t earlier : (*nodes_)[i].after) {
        followers_[earlier].push_back(i);
      }
      if (missing_[i] == 0) {
        open_.push_back({i, {}});
      }
    }
  }

  bool go_on() {
    if (open_.empty()) {
      return false;
    }
    const std::size_t chosen = draw(open_.size());
    const std::size_t node = open_[chosen].node;
    if (!open_[chosen].doing) {
      open_[chosen].doing = (*nodes_)[node].work();
    }
    if (open_[chosen].doing()) {
      return true;
    }
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(chosen));
    for (const std::size_t follower : followers_[node]) {
      if (--missing_[follower] == 0) {
        open_.push_back({follower, {}});
      }
    }
    return !open_.empty();
  }

private:
  struct Open {  // may be done; has begun where there is `doing`
    std::size_t node;
    Doing doing;
  };
  std::shared_ptr<const GraphNodes> nodes_;
  std::vector<std::size_t> missing_;  // of each node: how many before it are not done yet
  std::vector<std::vector<std::size_t>> followers_;
  std::vector<Open> open_;
};

}  // namespace

Doing run_graph(std::shared_ptr<const GraphNodes> nodes) {
  return [run = std::make_shared<GraphRun>(std::move(nodes))] { return run->go_on(); };
}

}  // namespace duel::emulator
