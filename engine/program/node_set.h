// A set of a program's nodes, by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel {

class NodeSet {
public:
  explicit NodeSet(std::size_t nodes = 0) : words_((nodes + 63) / 64) {}

  void insert(int node) { words_[word(node)] |= bit(node); }
  bool contains(int node) const { return (words_[word(node)] & bit(node)) != 0; }

  // Both of the same program.
  void insert_all(const NodeSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] |= other.words_[i];
    }
  }
  // Of `other`, whose nodes all lie in first..last.
  bool contains_all(const NodeSet& other, int first, int last) const {
    for (std::size_t i = word(first); i <= word(last); ++i) {
      if ((other.words_[i] & ~words_[i]) != 0) {
        return false;
      }
    }
    return true;
  }

private:
  static std::size_t word(int node) { return static_cast<std::size_t>(node) / 64; }
  static std::uint64_t bit(int node) { return std::uint64_t{1} << (node % 64); }

  std::vector<std::uint64_t> words_;
};

}  // namespace duel
