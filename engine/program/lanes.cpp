#include "engine/program/lanes.h"

#include "engine/program/dependencies.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace duel {

namespace {

double cost_of(const Program& program, const Node& node, const LaneCosts& costs) {
  const Cost cost = program.cost(node);
  return costs.launch + std::max(cost.bytes / costs.bytes_per_us, cost.flops / costs.flops_per_us);
}

// Puts nodes on lanes one after another, and keeps the time as if each took what it is guessed to.
class Assignment {
public:
  Assignment(const Program& program, const std::vector<std::vector<int>>& dependencies, const LaneRequest& request)
      : dependencies_(dependencies),
        handover_(request.costs.handover),
        lane_of_(dependencies.size()),
        end_(dependencies.size()),
        free_(static_cast<std::size_t>(request.lanes), 0) {
    for (const Node& node : program.nodes()) {
      cost_.push_back(cost_of(program, node, request.costs));
    }
    find_latest_ends();
    for (std::size_t i = 0; i < cost_.size(); ++i) {
      place(i);
    }
  }

  const std::vector<int>& lane_of() const { return lane_of_; }

private:
  // When a node must have ended at the latest, or the longest chain would end later.
  void find_latest_ends() {
    std::vector<double> behind(cost_.size(), 0);  // of each node: the longest chain that follows it
    double longest = 0;
    for (std::size_t i = cost_.size(); i-- > 0;) {
      const double with_it = behind[i] + cost_[i];
      longest = std::max(longest, with_it);
      for (const int earlier : dependencies_[i]) {
        behind[static_cast<std::size_t>(earlier)] = std::max(behind[static_cast<std::size_t>(earlier)], with_it);
      }
    }
    std::vector<double> earliest(cost_.size(), 0);
    for (std::size_t i = 0; i < cost_.size(); ++i) {
      for (const int earlier : dependencies_[i]) {
        earliest[i] = std::max(earliest[i], earliest[static_cast<std::size_t>(earlier)]);
      }
      earliest[i] += cost_[i];
      latest_end_.push_back(longest - behind[i]);
      is_critical_.push_back(latest_end_[i] - earliest[i] < 1e-6 * longest);
    }
  }

  double begin_on(std::size_t node, int lane) const {
    double begin = free_[static_cast<std::size_t>(lane)];
    for (const int earlier : dependencies_[node]) {
      const auto i = static_cast<std::size_t>(earlier);
      begin = std::max(begin, end_[i] + (lane_of_[i] == lane ? 0 : handover_));
    }
    return begin;
  }

  void place(std::size_t node) {
    int lane = 0;
    double begin = begin_on(node, 0);
    if (!is_critical_[node]) {
      int aside = 0;
      double sooner = std::numeric_limits<double>::infinity();
      for (int other = 1; other < static_cast<int>(free_.size()); ++other) {
        if (const double there = begin_on(node, other); there < sooner) {
          aside = other;
          sooner = there;
        }
      }
      if (aside > 0 && (sooner < begin || sooner + cost_[node] <= latest_end_[node])) {
        lane = aside;
        begin = sooner;
      }
    }
    lane_of_[node] = lane;
    end_[node] = free_[static_cast<std::size_t>(lane)] = begin + cost_[node];
  }

  const std::vector<std::vector<int>>& dependencies_;
  double handover_;
  std::vector<int> lane_of_;
  std::vector<double> cost_, latest_end_, end_;
  std::vector<bool> is_critical_;
  std::vector<double> free_;  // when each lane has done what it was given
};

// The waits that these lanes need, and no other: none for what an earlier wait, or the lane's own order, sees to.
class Waits {
public:
  Waits(LanePlan& plan, const std::vector<std::vector<int>>& dependencies)
      : plan_(plan), last_(static_cast<std::size_t>(plan.lanes), -1) {
    for (std::size_t i = 0; i < plan.places.size(); ++i) {
      add_node(static_cast<int>(i), dependencies[i]);
    }
    NodeSet done = done_with(last_[0]);
    std::sort(last_.begin() + 1, last_.end(), std::greater<>());
    for (std::size_t lane = 1; lane < last_.size() && last_[lane] >= 0; ++lane) {
      await(last_[lane], done, plan_.last_awaits);
    }
  }

private:
  // What is done when a lane is whose last node is this one.
  NodeSet done_with(int node) const {
    if (node < 0) {
      return NodeSet(plan_.places.size());
    }
    NodeSet done = plan_.before[static_cast<std::size_t>(node)];
    done.insert(node);
    return done;
  }

  void await(int node, NodeSet& done, std::vector<int>& awaits) {
    if (done.contains(node)) {
      return;
    }
    int& mark = plan_.places[static_cast<std::size_t>(node)].mark;
    if (mark < 0) {
      mark = plan_.marks++;
    }
    awaits.push_back(mark);
    done.insert_all(done_with(node));
  }

  void add_node(int node, const std::vector<int>& dependencies) {
    LanePlan::Place& place = plan_.places[static_cast<std::size_t>(node)];
    int& last = last_[static_cast<std::size_t>(place.lane)];
    NodeSet done = done_with(last);
    // The latest first: what it waited for itself need not be waited for again.
    std::for_each(dependencies.rbegin(), dependencies.rend(), [&](int earlier) { await(earlier, done, place.awaits); });
    if (place.lane > 0 && last < 0 && place.awaits.empty()) {
      if (plan_.first_mark < 0) {
        plan_.first_mark = plan_.marks++;
      }
      place.awaits.push_back(plan_.first_mark);
    }
    last = node;
    plan_.before.push_back(std::move(done));
  }

  LanePlan& plan_;
  std::vector<int> last_;  // of each lane so far
};

}  // namespace

LanePlan plan_lanes(const Program& program, const LaneRequest& request) {
  LanePlan plan;
  plan.lanes = std::max(request.lanes, 1);
  const std::vector<std::vector<int>> dependencies = find_dependencies(program);
  plan.places.resize(dependencies.size());
  if (plan.lanes > 1) {
    const Assignment assignment(program, dependencies, request);
    for (std::size_t i = 0; i < plan.places.size(); ++i) {
      plan.places[i].lane = assignment.lane_of()[i];
    }
  }
  Waits(plan, dependencies);
  return plan;
}

}  // namespace duel
