// The least time that a training step can take on a device, operator by operator, from what each must compute and move
// (<op>_cost() in kernels/) and the device's ceilings. Nothing is run.
//
// An operator's floor is the longer of its bytes / bandwidth and its operations / peak. Williams, Waterman & Patterson
// (2009), "Roofline: an insightful visual performance model".
#pragma once

#include "host/ceilings.h"
#include "host/dataset.h"
#include "host/options.h"

#include <string>
#include <vector>

namespace duel {

struct OperatorFloor {
  std::string name;  // "d_main conv2d_forward"
  int calls = 0;
  double gflop = 0, megabytes = 0;
  double us = 0;               // sum of the calls' floors
  bool by_operations = false;  // which of the two decides most of it
};

struct Roofline {
  double gflop = 0, megabytes = 0;
  double optimiser_megabytes = 0;  // weights, moments and their copies: what no cache keeps from one step to the next
  double serial_us = 0;            // every operator at its floor, one after another
  double overlapped_us = 0;        // all operations at their peak, beside optimiser_megabytes at full bandwidth
  std::vector<OperatorFloor> operators;  // longest first
};

Roofline make_roofline(const Options& options, const Dataset& dataset, const Ceilings& ceilings);

}  // namespace duel
