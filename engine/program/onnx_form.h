// An operator in the words of ONNX (operator set 17), as plain data: what an export writes of a node.
//
// ONNX's pictures are [N,C,H,W], the engine's [N,H,W,C]. A form says in which of the two it computes, so that a chain
// of layers is transposed at its ends alone.
#pragma once

#include "engine/program/attributes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace duel {

struct OnnxOperand {
  enum class Kind : std::uint8_t {
    input,     // the node's input `index`; with four extents in the form's layout; left out where it does not exist
    channels,  // the same, f32 [C], so that it broadcasts along the channels of the form's layout
    filters,   // the same, [K,R,S,C] as [K,C,R,S]
    turned,    // the same, [A,B] as [B,A]
    step,      // what the form's step `index` makes
    extents,   // those of what the form makes, i64, in the form's layout
    floats,    // f32 of `shape`
    integers   // i64 of `shape`
  };

  Kind kind = Kind::input;
  std::size_t index = 0;
  std::vector<float> floats = {};
  std::vector<std::int64_t> integers = {};
  std::vector<std::int64_t> shape = {};  // of the constants; none: a scalar

  static OnnxOperand input(std::size_t i) { return {Kind::input, i}; }
  static OnnxOperand channels(std::size_t i) { return {Kind::channels, i}; }
  static OnnxOperand filters(std::size_t i) { return {Kind::filters, i}; }
  static OnnxOperand turned(std::size_t i) { return {Kind::turned, i}; }
  static OnnxOperand step(std::size_t i) { return {Kind::step, i}; }
  static OnnxOperand extents() { return {Kind::extents}; }
  static OnnxOperand number(float value) { return {Kind::floats, 0, {value}}; }
  static OnnxOperand array(std::vector<float> values, std::vector<std::int64_t> shape) {
    return {Kind::floats, 0, std::move(values), {}, std::move(shape)};
  }
  static OnnxOperand list(std::vector<std::int64_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return {Kind::integers, 0, {}, std::move(values), {count}};
  }
};

struct OnnxStep {
  std::string op;  // "Conv"
  std::vector<OnnxOperand> operands;
  Attributes attributes = {};  // integers, lists of them, numbers
};

struct OnnxForm {
  enum class Layout : std::uint8_t {
    any,            // pointwise: the same numbers in either
    channels_last,  // as the engine has it
    channels_first
  };

  Layout layout = Layout::any;
  std::vector<OnnxStep> steps = {};  // the last one makes what the node makes
  std::size_t output = 0;            // which of the node's outputs that is; others have no form

  // Appends a step; returns what it makes, as an operand of later ones.
  OnnxOperand add(const std::string& op, std::vector<OnnxOperand> operands, Attributes attributes = {}) {
    steps.push_back({op, std::move(operands), std::move(attributes)});
    return OnnxOperand::step(steps.size() - 1);
  }
};

}  // namespace duel
