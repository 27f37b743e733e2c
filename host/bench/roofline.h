// The least time that a training step can take on a device, operator by operator, from what each must compute and move
// (<op>_cost() in kernels/) and the device's ceilings. Nothing is run.
//
// An operator's floor is the longer of its bytes / bandwidth and its operations / peak. Williams, Waterman & Patterson
// (2009), "Roofline: an insightful visual performance model". Bytes move at the rate of the operator's working set.
// Operations are those of the direct algorithm, without what falls on padding; where a convolution has a form of
// Winograd's algorithm, the share that this needs, in f32, where that is less: a quarter for 3x3 filters at stride 1,
// 25/64 for 4x4 at stride 2 (Traits::winograd_share).
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/ceilings.h"
#include "host/device/node_key.h"

#include <vector>

namespace duel {

// What a node cannot do without.
struct NodeFloor {
  double byte_us = 0, operation_us = 0;
  double us() const { return byte_us > operation_us ? byte_us : operation_us; }
  bool by_operations() const { return operation_us > byte_us; }
};

// `allow_tf32`: products of f32 arrays may be rounded.
NodeFloor floor_of(const Program& program, const Node& node, const Ceilings& ceilings, bool allow_tf32);

struct OperatorFloor {  // of all nodes with the same key
  NodeKey key;
  int calls = 0;
  double gflop = 0, megabytes = 0;  // gflop: of the direct algorithm
  double us = 0;
  bool by_operations = false;  // which of the two it is
};

struct Roofline {
  int nodes = 0;
  double gflop = 0, megabytes = 0;
  double optimiser_megabytes = 0;  // weights, moments and their copies: what no cache keeps from one step to the next
  double serial_us = 0;            // every operator at its floor, one after another
  double overlapped_us = 0;        // all operations at their peak, beside optimiser_megabytes at full bandwidth
  std::vector<OperatorFloor> operators;  // longest first
};

Roofline make_roofline(const Options& options, const Data& data, const Ceilings& ceilings);

}  // namespace duel
