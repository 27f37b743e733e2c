// What tells a node of a recorded step from the others in what benches print, and what their rows are joined by.
#pragma once

#include "engine/program/program.h"

#include <compare>
#include <string>

namespace duel {

struct NodeKey {
  std::string op;      // "conv2d_forward"
  std::string arrays;  // "f32[64,28,28,32] f32[64,3,3,32] -> f32[64,28,28,64]"
  std::string where;   // where it was recorded: "d_main/discriminator/conv2"

  auto operator<=>(const NodeKey&) const = default;
};

inline NodeKey key_of(const Program& program, const Node& node) {
  return {node.op, program.arrays(node), program.place(node)};
}

}  // namespace duel
