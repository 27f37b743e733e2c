// Which arrays of a program are another one's rows times numbers, a number a row.
#pragma once

#include "engine/program/program.h"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace duel {

// An array that is scale[n] times the rows of another.
struct Proportional {
  Value of, scale;  // roots; scale holds one f32 a row
};

// Such arrays are found in the order in which they are made, from where a pass begins with ones (a gradient of each
// row's own number) and another one with anything else: what is then computed by the same operators, which are linear,
// row by row, and from the same other operands. Sees the program as it is at construction.
class Proportions {
public:
  explicit Proportions(const Program& program);

  // Of a value that is; else nullptr.
  const Proportional* find(Value value) const;

  // Whether the node computes what another has computed but for a factor.
  bool is_merged(std::size_t node) const { return is_merged_[node]; }
  bool saves_a_product() const { return saves_a_product_; }

  // Whether the first is the second, or an equal cast of what that is a cast of, in the same shape.
  bool is_same(Value a, Value b) const;

private:
  using Inputs = std::vector<std::optional<Proportional>>;  // of a node: those that are proportional

  // The storage root, and of equal casts the first one's.
  Value origin(Value value) const { return first_[static_cast<std::size_t>(program_.root(value).id)]; }
  std::vector<std::size_t>& readers_of(Value value) { return readers_[static_cast<std::size_t>(origin(value).id)]; }

  void look_around();
  // Whether memory outside the program may have changed between two nodes that read it.
  bool may_have_changed(Value value, std::size_t begin, std::size_t end) const;
  bool is_partner(std::size_t other, std::size_t index, const Inputs& its) const;
  // Finds a node before that is the same but for what `its` say it reads instead.
  bool merge(std::size_t index, const Inputs& its, const Proportional& one);
  void merge_sum(std::size_t index);
  void merge_linear(std::size_t index);
  // What an input may be a multiple of: of the ones with which a pass begins, any array of as many numbers is.
  std::vector<Proportional> candidates(Value input) const;

  const Program& program_;
  std::vector<Value> first_;                       // by a root: of equal casts the first
  std::vector<std::vector<std::size_t>> readers_;  // by an origin, in order
  std::vector<Value> ones_;                        // columns of ones
  std::map<int, Proportional> known_;              // by root
  std::vector<bool> is_merged_;
  bool saves_a_product_ = false;
};

}  // namespace duel
