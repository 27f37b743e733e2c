// Captured work as a graph: what one stream was given follows in order, and what a stream waits for comes before.
// Another stream joins a capture when it waits for an event that was recorded in it, and must be joined again before
// the end.
#pragma once

#include "emulator/stream.h"

#include <driver_types.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace duel::emulator {

struct GraphNode {
  Work work;
  std::vector<std::size_t> after;  // nodes that are done before it begins
};
using GraphNodes = std::vector<GraphNode>;

// Streams that are captured together.
struct Capture {
  cudaStream_t origin = nullptr;      // where it was begun, and where it must end
  std::vector<cudaStream_t> streams;  // all of them
  GraphNodes nodes;
  bool is_invalid = false;      // something was called that a graph cannot hold
  bool has_ended = false;       // events may still name it
  bool forgives_forks = false;  // whoever ignores waits cannot say whether streams were joined

  std::size_t add(Work work, const std::vector<std::size_t>& after);
  // Whether all of `some` are done before what follows `tail` begins.
  bool are_before(const std::vector<std::size_t>& some, const std::vector<std::size_t>& tail) const;
};

// A launch of a graph: parts of its nodes, chosen by draw() among those that may be done.
Doing run_graph(std::shared_ptr<const GraphNodes> nodes);

}  // namespace duel::emulator

// What CUDA's handles point at; its headers only declare these.
struct CUgraph_st {
  std::shared_ptr<const duel::emulator::GraphNodes> nodes;
};
struct CUgraphExec_st {
  std::shared_ptr<const duel::emulator::GraphNodes> nodes;
};
