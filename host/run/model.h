// The networks that a configuration asks for.
#pragma once

#include "engine/nn/network.h"
#include "host/config/options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

// Declares the parameters; no memory is taken yet. picture: [1,H,W,C] of the data set.
GanModel make_model(const Options& options, const Shape& picture);

// What a network is made of, for people and programs.
struct NetworkTable {
  struct Row {
    std::string name;
    Shape shape;
  };
  std::string network;
  std::int64_t parameter_count = 0;
  std::vector<Row> rows;
};
std::vector<NetworkTable> network_tables(const GanModel& model);

// Gives both networks the blocks of parameters that training in options.precision needs. `is_cleared`: as
// Parameters::Blocks has it.
void allocate_for_training(Context& context, GanModel& model, const Options& options, bool is_cleared = true);

}  // namespace duel
