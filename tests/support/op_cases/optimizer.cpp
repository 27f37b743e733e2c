// Cases of kernels/optimizer.h.
#include "kernels/optimizer.h"

#include "tests/reference/optimizer.h"
#include "tests/support/op_case.h"

namespace duel::test::optimizer_cases {

namespace {

struct AdamProblem {
  std::string name;
  Shape shape;
  Adam adam = {};
  std::int64_t step = 0;
  bool scale = false, compute = false;
  double gradient = 1;  // its order of magnitude
  bool average = false;
};

OpCase adam_case(const AdamProblem& p) {
  const auto scale_of = [p](Views in) { return p.scale ? in[2] : View{}; };
  const auto state_of = [p](Views out) {
    return AdamState{out[0], out[1], out[2], p.compute ? out[3] : View{}, p.average ? out.back() : View{}};
  };
  // At step 0 the averages are 0; later they are what gradients of that size leave.
  const double g = p.gradient;
  const Fill m = p.step == 0 ? values({0}) : normal(0.1 * g);
  const Fill v = p.step == 0 ? values({0}) : uniform(0.01 * g * g, g * g);
  OpCase c{.op = "adam",
           .name = fmt::format("{}_{}_step{}{}{}{}", p.name, name_of_extents(p.shape), p.step, p.scale ? "_scaled" : "",
                               p.compute ? "_compute" : "", p.average ? "_average" : ""),
           .inputs = {{"gradient", p.shape, DType::f32, with_head({0}, normal(g))},
                      {"step", {1}, DType::i64, values({static_cast<double>(p.step)})}},
           .outputs = {{.name = "w", .shape = p.shape, .initial = normal(0.05)},
                       {.name = "m", .shape = p.shape, .magnitude = 0.1 * g, .initial = m},
                       {.name = "v", .shape = p.shape, .magnitude = 1e-3 * g * g, .initial = v}},
           .run = [=](Context& context, Views in,
                      Views out) { adam(context, p.adam, in[1], scale_of(in), in[0], state_of(out)); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 reference::adam(p.adam, in[1][0], p.scale ? in[2][0] : 1, in[0], out[0], out[1], out[2]);
                 if (p.compute) {
                   out[3] = out[0];
                 }
                 if (p.average) {
                   reference::ema(value_at(p.adam.average_decay, p.step), out[0], out.back());
                 }
               },
           .terms = 2,
           .cost = [=](Views, Views out) { return adam_cost(state_of(out)); }};
  c.outputs[0].magnitude = 0.05;
  if (p.scale) {
    c.inputs.push_back({"gradient_scale", {1}, DType::f32, values({0.37})});
  }
  if (p.compute) {
    c.outputs.push_back({.name = "compute", .shape = p.shape, .dtype = DType::bf16, .magnitude = 0.05});
  }
  if (p.average) {
    c.outputs.push_back({.name = "average", .shape = p.shape, .magnitude = 0.05, .initial = normal(0.05)});
  }
  return c;
}

OpCase ema_case(const std::string& name, const Shape& shape, const Schedule& decay, std::int64_t step = 41) {
  return {
      .op = "ema",
      .name = fmt::format("{}_{}_step{}", name_of_extents(shape), name, step),
      .inputs = {{"w", shape, DType::f32, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
      .outputs = {{.name = "average", .shape = shape, .initial = normal()}},
      .run = [=](Context& context, Views in, Views out) { ema(context, decay, in[1], in[0], out[0]); },
      .reference = [=](const Arrays& in, Arrays& out) { reference::ema(value_at(decay, step), in[0], out[0]); },
      .terms = 2};
}

OpCase norm_case(const std::string& name, const Shape& shape, const Fill& fill) {
  return {.op = "global_norm",
          .name = fmt::format("{}_{}", name, name_of_extents(shape)),
          .inputs = {{"gradient", shape, DType::f32, fill}},
          .outputs = {{.name = "y", .shape = {1}}},
          .run = [](Context& context, Views in, Views out) { global_norm(context, in[0], out[0]); },
          .reference = [](const Arrays& in, Arrays& out) { out[0] = {reference::global_norm(in[0])}; },
          .tolerance = ToleranceOverride{{0x1p-23, 0}, "it is summed in f64, so only the result is rounded"}};
}

OpCase clip_case(const std::string& name, double max_norm, double norm) {
  return {.op = "clip_scale",
          .name = name,
          .inputs = {{"norm", {1}, DType::f32, values({norm})}},
          .outputs = {{.name = "y", .shape = {1}}},
          .run = [=](Context& context, Views in, Views out) { clip_scale(context, max_norm, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = {reference::clip_scale(max_norm, in[0][0])}; }};
}

std::vector<OpCase> make_cases() {
  const std::int64_t far = (std::int64_t{5} << 32) + 1;
  const Adam steady{.learning_rate = 5e-4, .beta1 = 0.0, .beta2 = 0.99};
  std::vector<OpCase> cases;
  for (const Shape& shape : ragged_shapes()) {
    cases.push_back(adam_case({"classic", shape, {}, 41, true, true}));
    cases.push_back(adam_case({"classic", shape, {}, 41}));
    cases.push_back(ema_case("decay9900", shape, 0.99));
    cases.push_back(norm_case("normal", shape, normal()));
  }
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999}, std::int64_t{1} << 31, far}) {
    for (const bool scale : {false, true}) {
      for (const bool compute : {false, true}) {
        cases.push_back(adam_case({"each", {5, 33}, {}, step, scale, compute}));
        cases.push_back(adam_case({"steady", {5, 33}, steady, step, scale, compute}));
      }
    }
  }
  cases.push_back(unaligned(adam_case({"classic", {1000}, {}, 41, true, true})));
  cases.push_back(unaligned(adam_case({"classic", {1000}, {}, 41})));
  cases.push_back(unaligned(ema_case("decay9900", {1000}, 0.99)));
  cases.push_back(unaligned(norm_case("normal", {20011}, normal())));
  cases.push_back(adam_case({"small_gradients", {1000}, {}, 0, false, false, 1e-6}));
  cases.push_back(adam_case({"small_gradients", {1000}, {}, 500, true, false, 1e-6}));
  cases.push_back(adam_case({"large_gradients", {1000}, {}, 500, false, false, 1e4}));
  cases.push_back(adam_case({"large_epsilon", {1000}, {.epsilon = 0.1}, 500}));
  for (const double decay : {0.0, 0.5, 0.9999, 1.0}) {
    cases.push_back(ema_case(fmt::format("decay{}", static_cast<int>(decay * 10000)), {1000}, decay));
  }
  for (const std::int64_t step : {0, 1, 10, 100000}) {
    cases.push_back(ema_case("half_life", {33}, Schedule::half_life(64, 5000, 10), step));
  }
  cases.push_back(unaligned(ema_case("half_life", {1000}, Schedule::half_life(64, 5000, 10))));
  // Everything that may change with the step, in its middle and at both ends.
  const Adam scheduled{.learning_rate = Schedule::cosine(5e-4, 1e-4, 0, 1000).with_warm_up(50),
                       .beta1 = 0.0,
                       .beta2 = Schedule::linear(0.9, 0.99, 100, 500)};
  for (const std::int64_t step : {0, 1, 49, 300, 1000, 100000}) {
    cases.push_back(adam_case({"scheduled", {5, 33}, scheduled, step, true, step % 2 == 0}));
  }
  for (const std::int64_t step : {0, 41}) {
    for (const bool compute : {false, true}) {
      cases.push_back(
          adam_case({"decoupled", {1000}, {.learning_rate = 0.1, .weight_decay = 0.3}, step, false, compute}));
    }
  }
  // With the average of the new weights: more of them than a CPU averages at a time, too.
  Adam averaged = steady;
  averaged.average_decay = Schedule::half_life(64, 5000, 10);
  for (const Shape& shape : {Shape{1}, Shape{5, 33}, Shape{1000}, Shape{20011}}) {
    for (const bool compute : {false, true}) {
      cases.push_back(adam_case({"averaged", shape, averaged, 41, compute, compute, 1, true}));
    }
  }
  cases.push_back(unaligned(adam_case({"averaged", {1000}, averaged, 0, false, true, 1, true})));
  // Early enough for the correction to differ from that of once a step by more than the tolerance.
  cases.push_back(adam_case({"lazy", {33}, {.clock = {{.every = 16}}}, 33}));
  cases.push_back(adam_case({"twice", {33}, {.clock = {{.every = 1, .after = 1}, {.every = 1}}}, 3}));
  cases.push_back(norm_case("zeros", {33}, values({0})));
  cases.push_back(norm_case("long", {1 << 17}, normal(0.01)));
  cases.push_back(norm_case("one_and_many_small", {1 << 17}, with_head({1}, values({0x1p-13}))));
  cases.push_back(norm_case("too_large_to_square_in_f32", {33}, normal(1e25)));
  cases.push_back(norm_case("too_small_to_square_in_f32", {33}, normal(1e-25)));
  cases.push_back(clip_case("above", 1, 7.3));
  cases.push_back(clip_case("below", 1, 0.3));
  cases.push_back(clip_case("equal", 2.5, 2.5));
  cases.push_back(clip_case("zero", 1, 0));
  cases.push_back(clip_case("far_above", 0.1, 1e30));

  // The preset `classic`: 6.4 million weights of the discriminator.
  const Shape weights{6441857};
  for (OpCase c : {adam_case({"classic", weights, {}, 41}), adam_case({"classic", weights, {}, 41, true, true}),
                   ema_case("decay9900", weights, 0.99), norm_case("classic", weights, normal())}) {
    c.tags = {"perf"};
    cases.push_back(std::move(c));
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::optimizer_cases
