// A short list of pointwise and row instructions on small arrays, in one launch: what a step does to losses, metrics
// and other arrays of at most a few thousand elements, for each of which a launch of its own would take longer than the
// work.
//
// Each instruction is the operator of the same name: its formula, its types, and on a CPU its bytes.
//
//   instruction           operands            numbers                  contract
//   fill                  y                   scalar                   elementwise.h
//   cast                  x y
//   add, multiply         x b y
//   affine                x y                 scale, shift
//   unary                 x y                 unary
//   clamp                 x y                 scale: low, shift: high
//   bias_act              x [b] y             activation               bias_act.h
//   activation_backward   x (dy) b (y) y (dx) activation
//   reduce_sum, broadcast x y                 axes, scale              reduce.h
//   concat_rows           x b y                                        rows.h
//   slice_rows, pad_rows  x y                 index: the first row
//   scale_scheduled       x b (step) y        schedule                 scale_scheduled.h
//   clip_scale            x y                 scalar: the largest norm optimizer.h
//   store_scalar          x b (step) y (ring) index: the column        step_state.h
//   advance_counter       y (step)                                     step_state.h
//
// They run one behind the other, each on whole arrays. An array is an input, an output (written, or, as the ring and
// the counter are, changed; later instructions may read it), or local: it exists while the program runs, at an offset
// among kMostLocalBytes that all local arrays share; those that are used at the same time may not overlap. Several
// arrays may be one input or output in other shapes. An output of one instruction may not be what another operand of it
// is, unless that operator allows it. Sums on a GPU: within f64, in an order that follows from the extents alone.
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "kernels/schedule.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <span>
#include <vector>

namespace duel {

enum class SmallOp : std::uint8_t {
  fill,
  cast,
  add,
  multiply,
  affine,
  unary,
  clamp,
  bias_act,
  activation_backward,
  reduce_sum,
  broadcast,
  concat_rows,
  slice_rows,
  pad_rows,
  scale_scheduled,
  clip_scale,
  store_scalar,
  advance_counter
};

struct SmallArray {
  enum class Place : std::uint8_t { input, output, local };
  Place place = Place::local;
  int index = 0;  // of the input or output; of a local array its offset in bytes, a multiple of 16
  Shape shape;
  DType dtype = DType::f32;
};

struct SmallInstruction {
  SmallOp op = SmallOp::fill;
  int x = -1, b = -1, y = -1;  // operands, by number among the arrays; -1: none
  UnaryKind unary = UnaryKind::softplus;
  Activation activation = {};
  Axes axes = Axes::all;
  float scale = 1, shift = 0;
  double scalar = 0;
  int index = 0;
  Schedule schedule = {};
};

struct SmallProgram {
  std::vector<SmallArray> arrays;
  std::vector<SmallInstruction> instructions;
};

// What a program may have: its list travels as an argument of the kernel, and one thread block does the work.
inline constexpr int kMostSmallArrays = 64, kMostSmallInstructions = 40, kMostSmallSchedules = 4;
inline constexpr std::int64_t kMostSmallElements = 4096;  // of each array
inline constexpr std::size_t kMostLocalBytes = 32 << 10;

// inputs and outputs: in the order of their indices, with the shapes' counts and the types of the arrays that name
// them.
void small_program(Context&, const SmallProgram& program, std::span<const View> inputs, std::span<const View> outputs);

const char* name_of(SmallOp op);

}  // namespace duel
