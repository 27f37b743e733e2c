// The operators themselves, one behind the other: so each result has the bytes that it has alone. Local arrays lie on
// the stack.
#include "kernels/small_program.h"

#include "kernels/step_state.h"

#include <array>

namespace duel {

class CpuContext;

// Of elementwise.cpp, bias_act.cpp, reduce.cpp, rows.cpp, scale_scheduled.cpp, optimizer.cpp and step_state.cpp.
void fill(CpuContext&, float value, View y);
void cast(CpuContext&, View x, View y);
void add(CpuContext&, View a, View b, View y);
void multiply(CpuContext&, View a, View b, View y);
void affine(CpuContext&, const Affine&, View x, View y);
void unary(CpuContext&, UnaryKind, View x, View y);
void clamp(CpuContext&, const Clamp&, View x, View y);
void bias_act_forward(CpuContext&, const Activation&, View x, View bias, View y);
void activation_backward(CpuContext&, const Activation&, View dy, View y, View dx);
void reduce_sum(CpuContext&, const Reduce&, View x, View y);
void broadcast(CpuContext&, const Reduce&, View x, View y);
void concat_rows(CpuContext&, View a, View b, View y);
void slice_rows(CpuContext&, int begin, View x, View y);
void pad_rows(CpuContext&, int begin, View x, View y);
void scale_scheduled(CpuContext&, const Schedule&, View step, View x, View y);
void clip_scale(CpuContext&, double max_norm, View norm, View y);
void store_scalars(CpuContext&, std::span<const StoredScalar> scalars, View step, View ring);
void advance_counter(CpuContext&, View step);

namespace {

void run(CpuContext& c, const SmallInstruction& i, View x, View b, View y) {
  switch (i.op) {
    case SmallOp::fill: fill(c, static_cast<float>(i.scalar), y); return;
    case SmallOp::cast: cast(c, x, y); return;
    case SmallOp::add: add(c, x, b, y); return;
    case SmallOp::multiply: multiply(c, x, b, y); return;
    case SmallOp::affine: affine(c, {i.scale, i.shift}, x, y); return;
    case SmallOp::unary: unary(c, i.unary, x, y); return;
    case SmallOp::clamp: clamp(c, {i.scale, i.shift}, x, y); return;
    case SmallOp::bias_act: bias_act_forward(c, i.activation, x, b, y); return;
    case SmallOp::activation_backward: activation_backward(c, i.activation, x, b, y); return;
    case SmallOp::reduce_sum: reduce_sum(c, {i.axes, i.scale}, x, y); return;
    case SmallOp::broadcast: broadcast(c, {i.axes, i.scale}, x, y); return;
    case SmallOp::concat_rows: concat_rows(c, x, b, y); return;
    case SmallOp::slice_rows: slice_rows(c, i.index, x, y); return;
    case SmallOp::pad_rows: pad_rows(c, i.index, x, y); return;
    case SmallOp::scale_scheduled: scale_scheduled(c, i.schedule, b, x, y); return;
    case SmallOp::clip_scale: clip_scale(c, i.scalar, x, y); return;
    case SmallOp::store_scalar: {
      const StoredScalar scalar{i.index, x};
      store_scalars(c, {&scalar, 1}, b, y);
      return;
    }
    case SmallOp::advance_counter: advance_counter(c, y); return;
  }
}

}  // namespace

void small_program(CpuContext& context, const SmallProgram& program, std::span<const View> inputs,
                   std::span<const View> outputs) {
  alignas(64) std::array<std::byte, kMostLocalBytes> locals;
  const auto view = [&](int number) {
    if (number < 0) {
      return View{};
    }
    const SmallArray& array = program.arrays[static_cast<std::size_t>(number)];
    const auto index = static_cast<std::size_t>(array.index);
    void* data = array.place == SmallArray::Place::local   ? locals.data() + index
                 : array.place == SmallArray::Place::input ? inputs[index].data
                                                           : outputs[index].data;
    return View{data, array.shape, array.dtype};
  };
  for (const SmallInstruction& instruction : program.instructions) {
    run(context, instruction, view(instruction.x), view(instruction.b), view(instruction.y));
  }
}

}  // namespace duel
