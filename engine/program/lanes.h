// On which of a device's lanes (kernels/context.h) each node of a program runs, and what it waits for there.
//
// Each lane runs its nodes in the order in which they were recorded. The nodes of the longest chain of dependencies
// keep lane 0; a node off it, such as a weight's gradient beside the chain of input gradients, goes aside where it
// delays nobody: where it ends in time for those that need it, or at least begins sooner than on lane 0. How long a
// node takes is only guessed, from its bytes and operations; a wrong guess costs time, never a result. As no lane
// changes the order, no node starts later than it would behind all the others, but for the waiting between lanes
// itself.
//
// The plan is also an order: what is certain to be done before a node begins. The planner of memory relies on it.
#pragma once

#include "engine/program/node_set.h"
#include "engine/program/program.h"

#include <vector>

namespace duel {

struct LanePlan {
  struct Place {
    int lane = 0;
    std::vector<int> awaits;  // marks that the lane waits for first
    int mark = -1;            // set behind the node, where others wait for it
  };

  int lanes = 1;
  int marks = 0;
  int first_mark = -1;           // set on lane 0 before all nodes, where a lane has nothing else to begin behind
  std::vector<Place> places;     // of each node
  std::vector<int> last_awaits;  // what lane 0 waits for at the end: all is done then
  std::vector<NodeSet> before;   // of each node: those that are done when it begins
};

// What a node is guessed to take, in microseconds on a GPU of some size. Only the relations count, and they change
// where nodes run and nothing that they compute.
struct LaneCosts {
  double launch = 2, handover = 1.5;  // of a node, however small; of a wait between lanes
  double bytes_per_us = 2e6, flops_per_us = 5e7;
};

// How a program is asked to be planned: on at most so many lanes; with one, nodes run one behind the other.
struct LaneRequest {
  LaneRequest(int most = 1, const LaneCosts& guess = {}) : lanes(most), costs(guess) {}  // a number is one
  int lanes;
  LaneCosts costs;
};

LanePlan plan_lanes(const Program& program, const LaneRequest& request);

}  // namespace duel
