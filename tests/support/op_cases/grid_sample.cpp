// Cases of kernels/grid_sample.h.
#include "kernels/grid_sample.h"

#include "tests/reference/grid_sample.h"
#include "tests/support/op_case.h"

#include <limits>

namespace duel::test::grid_sample_cases {

namespace {

struct Problem {
  GridSample p;
  Shape x;
  int rows, columns;  // of the grid
};

Shape grid_of(const Problem& problem) {
  return {problem.x[0], problem.rows, problem.columns, 2};
}
Shape output_of(const Problem& problem) {
  return grid_sample_output(problem.x, grid_of(problem));
}

// Places inside and around the picture; the first: far away on either side, and beyond all numbers.
Fill places() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return with_head({-30, 0, 1e9, -1e9, kInfinity, -kInfinity}, uniform(-1.6, 1.6));
}

std::string describe(const Problem& problem, DType dtype) {
  return fmt::format("{}_{}x{}_of_{}_{}", name_of(problem.p.edge), problem.rows, problem.columns,
                     name_of_extents(problem.x), name_of(dtype));
}

OpCase sample_case(const Problem& problem, DType dtype) {
  return {.op = "grid_sample",
          .name = describe(problem, dtype),
          .inputs = {{"x", problem.x, dtype, normal()}, {"grid", grid_of(problem), DType::f32, places()}},
          .outputs = {{.name = "y", .shape = output_of(problem), .dtype = dtype, .magnitude = 4}},
          .run = [=](Context& context, Views in, Views out) { grid_sample(context, problem.p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::grid_sample(problem.p, problem.x, grid_of(problem), in[0], in[1]);
              },
          // A place is rounded in f32, of a size of the picture's.
          .terms = 4 + problem.x[1] + problem.x[2]};
}

OpCase splat_case(const Problem& problem, DType dtype) {
  return {.op = "grid_sample_backward_input",
          .name = describe(problem, dtype),
          .inputs = {{"dy", output_of(problem), dtype, normal()}, {"grid", grid_of(problem), DType::f32, places()}},
          .outputs = {{.name = "dx", .shape = problem.x, .dtype = dtype, .magnitude = 4}},
          .run = [=](Context& context, Views in,
                     Views out) { grid_sample_backward_input(context, problem.p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::grid_sample_backward_input(problem.p, problem.x, grid_of(problem), in[0], in[1]);
              },
          .terms = 4 + problem.x[1] + problem.x[2] + std::int64_t{problem.rows} * problem.columns};
}

OpCase slope_case(const Problem& problem, DType dtype) {
  return {.op = "grid_sample_backward_grid",
          .name = describe(problem, dtype),
          .inputs = {{"dy", output_of(problem), dtype, normal()},
                     {"x", problem.x, dtype, normal()},
                     {"grid", grid_of(problem), DType::f32, places()}},
          .outputs = {{.name = "dgrid", .shape = grid_of(problem), .magnitude = 4.0 * problem.x[1] * problem.x[2]}},
          .run = [=](Context& context, Views in,
                     Views out) { grid_sample_backward_grid(context, problem.p, in[0], in[1], in[2], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] =
                    reference::grid_sample_backward_grid(problem.p, problem.x, grid_of(problem), in[0], in[1], in[2]);
              },
          .terms = 4 * problem.x[3] + problem.x[1] + problem.x[2]};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const GridEdge edge : {GridEdge::zeros, GridEdge::border}) {
      for (const Problem& problem : {Problem{{edge}, {1, 1, 1, 1}, 3, 5},
                                     {{edge}, {2, 5, 7, 3}, 7, 5},
                                     {{edge}, {1, 3, 33, 1}, 5, 1},
                                     {{edge}, {2, 9, 6, 33}, 5, 7},
                                     {{edge}, {1, 7, 5, 16}, 33, 9}}) {
        cases.push_back(sample_case(problem, dtype));
        cases.push_back(splat_case(problem, dtype));
        cases.push_back(slope_case(problem, dtype));
      }
    }
    const Problem warp{{GridEdge::border}, {8, 96, 64, 32}, 96, 64};  // a garment's features
    for (OpCase c : {sample_case(warp, dtype), splat_case(warp, dtype), slope_case(warp, dtype)}) {
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::grid_sample_cases
