// Cases of kernels/small_program.h: each instruction by itself, and lists as steps have them.
#include "kernels/small_program.h"

#include "tests/reference/small_program.h"
#include "tests/support/op_case.h"

namespace duel::test::small_program_cases {

namespace {

using Place = SmallArray::Place;

// A list while it is written, with what its inputs hold.
struct List {
  SmallProgram program;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  int next_local = 0;

  int input(const Shape& shape, DType dtype = DType::f32, const Fill& fill = normal()) {
    inputs.push_back({fmt::format("input{}", inputs.size()), shape, dtype, fill});
    return array(Place::input, static_cast<int>(inputs.size()) - 1, shape, dtype);
  }
  int output(const Shape& shape, DType dtype = DType::f32, const Fill& initial = {}) {
    outputs.push_back({.name = fmt::format("output{}", outputs.size()), .shape = shape, .dtype = dtype});
    outputs.back().initial = initial;
    return array(Place::output, static_cast<int>(outputs.size()) - 1, shape, dtype);
  }
  int local(const Shape& shape, DType dtype = DType::f32) {
    const int offset = next_local;
    next_local += (static_cast<int>(View{nullptr, shape, dtype}.bytes()) + 15) / 16 * 16;
    return array(Place::local, offset, shape, dtype);
  }
  int array(Place place, int index, const Shape& shape, DType dtype = DType::f32) {
    program.arrays.push_back({place, index, shape, dtype});
    return static_cast<int>(program.arrays.size()) - 1;
  }
  void add(const SmallInstruction& instruction) { program.instructions.push_back(instruction); }

  OpCase as_case(const std::string& name, std::int64_t terms = 1) const {
    return {.op = "small_program",
            .name = name,
            .inputs = inputs,
            .outputs = outputs,
            .run = [p = program](Context& context, Views in, Views out) { small_program(context, p, in, out); },
            .reference = [p = program](const Arrays& in, Arrays& out) { reference::small_program(p, in, out); },
            .terms = terms};
  }
};

OpCase pointwise_case(const std::string& name, const Shape& shape, DType dtype, SmallInstruction instruction,
                      const Fill& x = normal(), bool has_b = false, std::int64_t terms = 2) {
  List list;
  instruction.x = list.input(shape, dtype, x);
  instruction.b = has_b ? list.input(shape, dtype) : -1;
  instruction.y = list.output(shape, dtype);
  list.add(instruction);
  return list.as_case(fmt::format("{}_{}_{}", name, name_of_extents(shape), name_of(dtype)), terms);
}

void add_pointwise(std::vector<OpCase>& cases, const Shape& shape, DType dtype) {
  cases.push_back(pointwise_case("add", shape, dtype, {.op = SmallOp::add}, normal(), true));
  cases.push_back(pointwise_case("multiply", shape, dtype, {.op = SmallOp::multiply}, normal(), true));
  cases.push_back(pointwise_case("affine", shape, dtype, {.op = SmallOp::affine, .scale = -1.7F, .shift = 0.3F}));
  cases.push_back(pointwise_case("clamp", shape, dtype, {.op = SmallOp::clamp, .scale = -0.75F, .shift = 0.5F}));
  for (const UnaryKind kind : kUnaryKinds) {
    const bool is_positive = kind == UnaryKind::square_root || kind == UnaryKind::reciprocal ||
                             kind == UnaryKind::log || kind == UnaryKind::rsqrt;
    const Fill fill = is_positive ? uniform(0.1, 10) : with_head({0, -0.0, 30, -30, 100, -100}, normal(3));
    cases.push_back(pointwise_case(name_of(kind), shape, dtype, {.op = SmallOp::unary, .unary = kind}, fill));
  }
  for (const Activation& act : every_activation()) {
    cases.push_back(pointwise_case("act_" + name_of(act), shape, dtype, {.op = SmallOp::bias_act, .activation = act}));
    cases.push_back(pointwise_case("act_backward_" + name_of(act), shape, dtype,
                                   {.op = SmallOp::activation_backward, .activation = act}, normal(), true));
  }
  List bias;
  bias.add({.op = SmallOp::bias_act,
            .x = bias.input(shape, dtype),
            .b = bias.input({shape.back()}),
            .y = bias.output(shape, dtype),
            .activation = {ActivationKind::leaky_relu, 0.2F}});
  cases.push_back(bias.as_case(fmt::format("bias_act_{}_{}", name_of_extents(shape), name_of(dtype)), 2));
  List fill;
  fill.add({.op = SmallOp::fill, .y = fill.output(shape, dtype), .scalar = -1.75});
  cases.push_back(fill.as_case(fmt::format("fill_{}_{}", name_of_extents(shape), name_of(dtype)), 0));
  for (const DType to : {DType::f32, DType::bf16}) {
    List list;
    list.add({.op = SmallOp::cast, .x = list.input(shape, dtype), .y = list.output(shape, to)});
    OpCase c = list.as_case(fmt::format("cast_{}_{}_{}", name_of_extents(shape), name_of(dtype), name_of(to)));
    cases.push_back(std::move(c));
  }
}

void add_sums(std::vector<OpCase>& cases, const Shape& shape, DType dtype) {
  for (const Axes axes : {Axes::all, Axes::each_row, Axes::each_column, Axes::each_row_and_column}) {
    if (axes == Axes::each_row_and_column && shape.rank() < 2) {
      continue;
    }
    const Shape small = reduce_output(axes, shape);
    List sum;
    sum.add(
        {.op = SmallOp::reduce_sum, .x = sum.input(shape, dtype), .y = sum.output(small), .axes = axes, .scale = 0.7F});
    cases.push_back(sum.as_case(fmt::format("sum_{}_{}_{}", name_of(axes), name_of_extents(shape), name_of(dtype)),
                                shape.count() / small.count()));
    List spread;
    spread.add({.op = SmallOp::broadcast,
                .x = spread.input(small),
                .y = spread.output(shape, dtype),
                .axes = axes,
                .scale = 0.7F});
    cases.push_back(
        spread.as_case(fmt::format("broadcast_{}_{}_{}", name_of(axes), name_of_extents(shape), name_of(dtype))));
  }
}

void add_rows(std::vector<OpCase>& cases, const Shape& shape, DType dtype) {
  const int rows = shape[0];
  List list;
  const int a = list.input(shape, dtype), b = list.input(shape.with_rows(rows + 2), dtype);
  const int both = list.output(shape.with_rows(2 * rows + 2), dtype);
  list.add({.op = SmallOp::concat_rows, .x = a, .b = b, .y = both});
  list.add({.op = SmallOp::slice_rows, .x = both, .y = list.output(shape, dtype), .index = rows - 1});
  list.add({.op = SmallOp::pad_rows, .x = a, .y = list.output(shape.with_rows(rows + 5), dtype), .index = 3});
  list.add({.op = SmallOp::pad_rows, .x = a, .y = list.output(shape.with_rows(rows + 5), dtype), .index = 5});
  cases.push_back(list.as_case(fmt::format("rows_{}_{}", name_of_extents(shape), name_of(dtype)), 0));
}

// A loss of logits of which the upper half is of real pictures, metrics, the logits' gradient in another type, all in
// one: mean softplus(-r) + mean softplus(f).
OpCase loss_case(int batch, DType gradient_type) {
  List list;
  const Shape half{batch, 1}, whole{2 * batch, 1}, one{1};
  const float share = 1.0F / static_cast<float>(batch);
  const int logits = list.input(whole, DType::f32, normal(2)), step = list.output(one, DType::i64, values({129}));
  const int ring = list.output({64, 5}, DType::f32, normal());
  const int loss = list.output(one), gradient = list.output(whole, gradient_type);
  const int real = list.local(half), fake = list.local(half), minus = list.local(half), kept = list.local(half);
  const int first = list.local(one), second = list.local(one), slopes = list.local(half), other = list.local(half);
  list.add({.op = SmallOp::slice_rows, .x = logits, .y = real, .index = 0});
  list.add({.op = SmallOp::slice_rows, .x = logits, .y = fake, .index = batch});
  list.add({.op = SmallOp::affine, .x = real, .y = minus, .scale = -1});
  list.add({.op = SmallOp::unary, .x = minus, .y = kept, .unary = UnaryKind::softplus});
  list.add({.op = SmallOp::reduce_sum, .x = kept, .y = first, .axes = Axes::all, .scale = share});
  list.add({.op = SmallOp::unary, .x = fake, .y = kept, .unary = UnaryKind::softplus});
  list.add({.op = SmallOp::reduce_sum, .x = kept, .y = second, .axes = Axes::all, .scale = share});
  list.add({.op = SmallOp::add, .x = first, .b = second, .y = loss});
  list.add({.op = SmallOp::store_scalar, .x = loss, .b = step, .y = ring, .index = 3});
  list.add({.op = SmallOp::unary, .x = minus, .y = minus, .unary = UnaryKind::sigmoid});
  list.add({.op = SmallOp::affine, .x = minus, .y = slopes, .scale = -share});
  list.add({.op = SmallOp::unary, .x = fake, .y = minus, .unary = UnaryKind::sigmoid});
  list.add({.op = SmallOp::affine, .x = minus, .y = other, .scale = share});
  const int joined = list.array(Place::local, 0, whole);  // where `real` and `fake` lay, which nobody reads any more
  list.add({.op = SmallOp::concat_rows, .x = slopes, .b = other, .y = joined});
  list.add({.op = SmallOp::cast, .x = joined, .y = gradient});
  const int positive = list.local(whole);
  list.add({.op = SmallOp::unary, .x = logits, .y = positive, .unary = UnaryKind::positive});
  list.add({.op = SmallOp::reduce_sum, .x = positive, .y = second, .axes = Axes::all, .scale = share});
  list.add({.op = SmallOp::store_scalar, .x = second, .b = step, .y = ring, .index = 0});
  list.add({.op = SmallOp::advance_counter, .y = step});
  list.add({.op = SmallOp::store_scalar, .x = first, .b = step, .y = ring, .index = 4});
  OpCase c = list.as_case(fmt::format("loss_{}_{}", batch, name_of(gradient_type)), 8);
  c.outputs[3].magnitude = static_cast<double>(share);
  return c;
}

// One place in local memory, written and read in turn by instructions that give its elements to other threads.
OpCase reuse_case(int rows, int columns) {
  List list;
  const Shape shape{rows, columns};
  const int x = list.input(shape), y = list.output(shape), sums = list.local({columns}), wide = list.local(shape);
  for (int turn = 0; turn < 6; ++turn) {
    list.add(
        {.op = SmallOp::reduce_sum, .x = turn == 0 ? x : wide, .y = sums, .axes = Axes::each_column, .scale = 0.5F});
    list.add({.op = SmallOp::broadcast,
              .x = sums,
              .y = wide,
              .axes = Axes::each_column,
              .scale = 1.0F / static_cast<float>(rows)});
  }
  list.add({.op = SmallOp::add, .x = wide, .b = x, .y = y});
  return list.as_case(fmt::format("reuse_{}x{}", rows, columns), 12 * rows);
}

OpCase scheduled_case(std::int64_t step) {
  List list;
  const int counter = list.input({1}, DType::i64, values({static_cast<double>(step)}));
  const int norm = list.input({1}, DType::f32, values({7.3}));
  const int clip = list.local({1});
  list.add({.op = SmallOp::clip_scale, .x = norm, .y = clip, .scalar = 0.1});
  list.add({.op = SmallOp::scale_scheduled,
            .x = clip,
            .b = counter,
            .y = list.output({1}),
            .schedule = Schedule::exponential(0.5, 0.1, 0, 1000)});
  list.add({.op = SmallOp::scale_scheduled,
            .x = list.input({33}),
            .b = counter,
            .y = list.output({33}),
            .schedule = Schedule::cosine(5e-4, 1e-4, 0, 1000).with_warm_up(100)});
  list.add({.op = SmallOp::clip_scale, .x = norm, .y = list.output({1}), .scalar = 9});
  return list.as_case(fmt::format("scheduled_step{}", step), 2);
}

// All that a list may have.
OpCase longest_case() {
  List list;
  int x = list.input({33});
  for (int i = 0; i < kMostSmallInstructions; ++i) {
    const int y = i + 1 < kMostSmallInstructions ? list.local({33}) : list.output({33});
    list.add({.op = SmallOp::affine, .x = x, .y = y, .scale = -1.0F, .shift = 0.25F});
    x = y;
  }
  return list.as_case("longest", kMostSmallInstructions);
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape : {Shape{1}, {7}, {33, 1}, {5, 7, 3}, {1000}}) {
      add_pointwise(cases, shape, dtype);
    }
    for (const Shape& shape : {Shape{1}, {33}, {3, 1}, {1, 5}, {33, 7}, {5, 3, 33, 2}, {4096}, {7, 300}}) {
      add_sums(cases, shape, dtype);
    }
    for (const Shape& shape : {Shape{1}, {3, 5}, {33, 3}, {7, 2, 3, 5}, {7, 100}}) {
      add_rows(cases, shape, dtype);
    }
    for (const int batch : {1, 3, 33, 200}) {
      cases.push_back(loss_case(batch, dtype));
    }
  }
  for (const auto& [rows, columns] : {std::pair{1, 1}, {33, 5}, {9, 300}, {600, 5}}) {
    cases.push_back(reuse_case(rows, columns));
  }
  for (const std::int64_t step : {0, 41, 1000}) {
    cases.push_back(scheduled_case(step));
  }
  cases.push_back(longest_case());
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::small_program_cases
