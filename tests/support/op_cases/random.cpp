// Cases of kernels/random.h.
#include "kernels/random.h"

#include "tests/reference/random.h"
#include "tests/support/op_case.h"

namespace duel::test::random_cases {

namespace {

std::string describe(const Random& p, std::int64_t step, const Shape& shape) {
  return fmt::format("{}_seed{:x}_purpose{}_step{}", name_of_extents(shape), p.seed, static_cast<int>(p.purpose), step);
}

std::vector<Input> step_input(std::int64_t step) {
  return {{"step", {1}, DType::i64, values({static_cast<double>(step)})}};
}

OpCase normal_case(const Random& p, std::int64_t step, const Shape& shape, DType dtype = DType::f32) {
  OpCase c{.op = "random_normal",
           .name = describe(p, step, shape) + (dtype == DType::bf16 ? "_bf16" : ""),
           .inputs = step_input(step),
           .outputs = {{.name = "y", .shape = shape, .dtype = dtype}},
           .run = [=](Context& context, Views in, Views out) { random_normal(context, p, in[0], out[0]); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::random_normal(p, static_cast<std::uint64_t>(in[0][0]), shape.count());
               }};
  c.tolerance = {{dtype == DType::bf16 ? 0x1p-8 + 0x1p-20 : 0x1p-21, 0x1p-18},
                 "the angle, up to 2 pi, is rounded to f32 before its cosine is taken and multiplied by up to 5.8"};
  return c;
}

OpCase uniform_case(const Random& p, std::int64_t step, const Shape& shape, DType dtype = DType::f32) {
  return {.op = "random_uniform",
          .name = describe(p, step, shape) + (dtype == DType::bf16 ? "_bf16" : ""),
          .inputs = step_input(step),
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { random_uniform(context, p, in[0], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::random_uniform(p, static_cast<std::uint64_t>(in[0][0]), shape.count());
              },
          .terms = dtype == DType::bf16 ? 1 : 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const Shape& shape : {Shape{1}, {3}, {7, 5}, {64, 100}}) {
    cases.push_back(normal_case({1, Purpose::d_latents}, 5, shape, DType::bf16));
    cases.push_back(uniform_case({1, Purpose::interpolation}, 5, shape, DType::bf16));
  }
  cases.push_back(unaligned(normal_case({1, Purpose::d_latents}, 3, {5, 33}, DType::bf16)));
  for (const Shape& shape : ragged_shapes()) {
    cases.push_back(normal_case({1, Purpose::d_latents}, 0, shape));
    cases.push_back(uniform_case({1, Purpose::interpolation}, 0, shape));
  }
  // Every word of key and counter matters: seeds and steps above 2^32 too.
  const std::pair<Random, std::int64_t> keys[] = {{{0, Purpose::d_latents}, 0},
                                                  {{1, Purpose::d_latents}, 1},
                                                  {{1, Purpose::g_latents}, 1},
                                                  {{0x123456789ABCDEF0U, Purpose::initial_weights}, 3},
                                                  {{0x1000000000000000U, Purpose::initial_weights}, 3},
                                                  {{7, Purpose::sample_latents}, (std::int64_t{1} << 32) - 1},
                                                  {{7, Purpose::sample_latents}, std::int64_t{1} << 32},
                                                  {{7, Purpose::sample_latents}, (std::int64_t{5} << 40) + 3}};
  for (const auto& [p, step] : keys) {
    cases.push_back(normal_case(p, step, {5, 33}));
    cases.push_back(uniform_case(p, step, {5, 33}));
  }
  cases.push_back(unaligned(normal_case({1, Purpose::d_latents}, 3, {5, 33})));
  cases.push_back(unaligned(uniform_case({1, Purpose::interpolation}, 3, {5, 33})));
  cases.push_back(normal_case({1, Purpose::d_latents}, 1000, {64, 100}));
  cases.back().name = "classic_latents";
  cases.back().tags = {"perf"};
  cases.push_back(uniform_case({1, Purpose::interpolation}, 1000, {64, 1}));
  cases.back().name = "classic_interpolation";
  cases.back().tags = {"perf"};
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::random_cases
