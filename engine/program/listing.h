// A recorded program, node by node, as a value to print.
#pragma once

#include "engine/program/attributes.h"
#include "engine/program/program.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

#include <string>
#include <vector>

namespace duel {

struct ListedArray {
  int value = -1;  // its number in the program, of a reshaped array that of the array itself; -1: an absent operand
  Shape shape;
  DType dtype = DType::f32;
  std::string name;         // of a bound value; else ""
  Binding bound;            // where it lies, if not in the arena
  bool is_changed = false;  // an input that the node writes
};

struct ListedNode {
  int number = 0;
  std::string op;
  Attributes attributes;
  std::vector<ListedArray> inputs, outputs;
  std::string place;  // where it was recorded
  Cost cost;
};

std::vector<ListedNode> list_nodes(const Program& program);

std::string to_string(const ListedArray& array);  // "%7 f32[64,100] = generator/master+1024 (generator/dense1/weight)"

}  // namespace duel
