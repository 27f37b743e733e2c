#include "kernels/small_program.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <algorithm>

namespace duel {

DUEL_BACKENDS(small_program, const SmallProgram& program, std::span<const View> inputs, std::span<const View> outputs);

namespace {

constexpr const char* kOp = "small_program";

// The arrays of one instruction; those that it does not have have no shape.
struct Operands {
  View x, b, y;
};

bool has_x(SmallOp op) {
  return op != SmallOp::fill && op != SmallOp::advance_counter;
}

bool has_b(SmallOp op) {
  switch (op) {
    case SmallOp::add:
    case SmallOp::multiply:
    case SmallOp::activation_backward:
    case SmallOp::concat_rows:
    case SmallOp::scale_scheduled:
    case SmallOp::store_scalar: return true;
    default: return false;
  }
}

// Whether the instruction's arrays have the shapes and types that its operator asks for.
bool fits(const SmallInstruction& i, const Operands& o) {
  const auto is_float = [](View view) { return view.dtype == DType::f32 || view.dtype == DType::bf16; };
  const auto is_like = [](View a, View b) { return a.shape == b.shape && a.dtype == b.dtype; };
  const auto is_f32 = [](View view, const Shape& shape) { return view.shape == shape && view.dtype == DType::f32; };
  const auto is_counter = [](View view) { return view.shape == Shape{1} && view.dtype == DType::i64; };
  const auto is_part = [](View part, View whole, int begin) {
    return part.dtype == whole.dtype && part.shape.with_rows(whole.shape[0]) == whole.shape && begin >= 0 &&
           part.shape[0] <= whole.shape[0] - begin;
  };
  switch (i.op) {
    case SmallOp::fill: return is_float(o.y);
    case SmallOp::cast: return is_float(o.x) && is_float(o.y) && o.x.shape == o.y.shape;
    case SmallOp::add:
    case SmallOp::multiply:
    case SmallOp::activation_backward: return is_float(o.x) && is_like(o.x, o.b) && is_like(o.x, o.y);
    case SmallOp::affine:
    case SmallOp::unary:
    case SmallOp::clamp: return is_float(o.x) && is_like(o.x, o.y);
    case SmallOp::bias_act:
      return is_float(o.x) && is_like(o.x, o.y) && (!is_present(o.b) || is_f32(o.b, Shape{o.x.shape.back()}));
    case SmallOp::reduce_sum: return is_float(o.x) && is_f32(o.y, reduce_output(i.axes, o.x.shape));
    case SmallOp::broadcast: return is_float(o.y) && is_f32(o.x, reduce_output(i.axes, o.y.shape));
    case SmallOp::concat_rows:
      return is_float(o.x) && is_part(o.x, o.y, 0) && is_part(o.b, o.y, o.x.shape[0]) &&
             o.x.shape[0] + o.b.shape[0] == o.y.shape[0];
    case SmallOp::slice_rows: return is_float(o.x) && is_part(o.y, o.x, i.index);
    case SmallOp::pad_rows: return is_float(o.x) && is_part(o.x, o.y, i.index);
    case SmallOp::scale_scheduled: return is_f32(o.x, o.x.shape) && is_counter(o.b) && is_like(o.x, o.y);
    case SmallOp::clip_scale: return is_f32(o.x, {1}) && is_f32(o.y, {1}) && i.scalar > 0;
    case SmallOp::store_scalar:
      return is_f32(o.x, {1}) && is_counter(o.b) && o.y.shape.rank() == 2 && o.y.dtype == DType::f32 && i.index >= 0 &&
             i.index < o.y.shape[1];
    case SmallOp::advance_counter: return is_counter(o.y);
  }
  return false;
}

void check_array(const SmallArray& array, int number, std::span<const View> inputs, std::span<const View> outputs) {
  const View described{nullptr, array.shape, array.dtype};
  check(is_present(described) && described.count() <= kMostSmallElements,
        "{}: array {} is {}, but must have 1 to {} elements", kOp, number, described, kMostSmallElements);
  if (array.place == SmallArray::Place::local) {
    check(array.index >= 0 && array.index % 16 == 0 &&
              static_cast<std::size_t>(array.index) + described.bytes() <= kMostLocalBytes,
          "{}: local array {} is {} at byte {}, but all must lie in {} bytes, each at a multiple of 16", kOp, number,
          described, array.index, kMostLocalBytes);
    return;
  }
  const bool is_input = array.place == SmallArray::Place::input;
  const std::span<const View> given = is_input ? inputs : outputs;
  check(array.index >= 0 && array.index < static_cast<int>(given.size()), "{}: array {} is {} {} of {}", kOp, number,
        is_input ? "input" : "output", array.index, given.size());
  const View view = given[static_cast<std::size_t>(array.index)];
  check(is_present(view) && view.count() == described.count() && view.dtype == described.dtype,
        "{}: array {} is {}, but {} {} is {}", kOp, number, described, is_input ? "input" : "output", array.index,
        view);
}

void check_instruction(const SmallProgram& program, const SmallInstruction& instruction) {
  const auto operand = [&](int number, bool needed) {
    check(number < static_cast<int>(program.arrays.size()) && (number >= 0 || !needed), "{}: {} has the array {} of {}",
          kOp, name_of(instruction.op), number, program.arrays.size());
    if (number < 0) {
      return View{};
    }
    const SmallArray& array = program.arrays[static_cast<std::size_t>(number)];
    return View{nullptr, array.shape, array.dtype};
  };
  const Operands operands{operand(instruction.x, has_x(instruction.op)), operand(instruction.b, has_b(instruction.op)),
                          operand(instruction.y, true)};
  check(program.arrays[static_cast<std::size_t>(instruction.y)].place != SmallArray::Place::input,
        "{}: {} writes array {}, which is an input", kOp, name_of(instruction.op), instruction.y);
  check(fits(instruction, operands), "{}: {} cannot make {} of {} and {}", kOp, name_of(instruction.op), operands.y,
        operands.x, operands.b);
}

}  // namespace

void small_program(Context& context, const SmallProgram& program, std::span<const View> inputs,
                   std::span<const View> outputs) {
  check(!program.instructions.empty() && program.instructions.size() <= kMostSmallInstructions &&
            program.arrays.size() <= kMostSmallArrays,
        "{}: {} instructions on {} arrays, but must be 1 to {} on at most {}", kOp, program.instructions.size(),
        program.arrays.size(), kMostSmallInstructions, kMostSmallArrays);
  const auto schedules = std::count_if(program.instructions.begin(), program.instructions.end(),
                                       [](const SmallInstruction& i) { return i.op == SmallOp::scale_scheduled; });
  check(schedules <= kMostSmallSchedules, "{}: {} schedules, but must be at most {}", kOp, schedules,
        kMostSmallSchedules);
  for (std::size_t i = 0; i < program.arrays.size(); ++i) {
    check_array(program.arrays[i], static_cast<int>(i), inputs, outputs);
  }
  for (const SmallInstruction& instruction : program.instructions) {
    check_instruction(program, instruction);
  }
  context.run([&](auto& backend) { small_program(backend, program, inputs, outputs); });
}

const char* name_of(SmallOp op) {
  switch (op) {
    case SmallOp::fill: return "fill";
    case SmallOp::cast: return "cast";
    case SmallOp::add: return "add";
    case SmallOp::multiply: return "multiply";
    case SmallOp::affine: return "affine";
    case SmallOp::unary: return "unary";
    case SmallOp::clamp: return "clamp";
    case SmallOp::bias_act: return "bias_act";
    case SmallOp::activation_backward: return "activation_backward";
    case SmallOp::reduce_sum: return "reduce_sum";
    case SmallOp::broadcast: return "broadcast";
    case SmallOp::concat_rows: return "concat_rows";
    case SmallOp::slice_rows: return "slice_rows";
    case SmallOp::pad_rows: return "pad_rows";
    case SmallOp::scale_scheduled: return "scale_scheduled";
    case SmallOp::clip_scale: return "clip_scale";
    case SmallOp::store_scalar: return "store_scalar";
    case SmallOp::advance_counter: return "advance_counter";
  }
  throw Error(Error::Kind::internal, "name_of: unknown small instruction");
}

}  // namespace duel
