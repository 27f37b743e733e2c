// Cases of kernels/permute.h.
#include "kernels/permute.h"

#include "tests/reference/permute.h"
#include "tests/support/op_case.h"

#include <algorithm>

namespace duel::test::permute_cases {

namespace {

OpCase permute_case(const Shape& shape, const Permute& p, DType dtype) {
  return {.op = "permute",
          .name = fmt::format("{}_by_{}{}{}{}_{}", name_of_extents(shape), p.order[0], p.order[1], p.order[2],
                              p.order[3], name_of(dtype)),
          .inputs = {{"x", shape, dtype, normal()}},
          .outputs = {{.name = "y", .shape = permute_output(p, shape), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { permute(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::permute(p, shape, in[0]); },
          .terms = 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    Permute p;
    do {
      cases.push_back(permute_case({3, 5, 2, 7}, p, dtype));
    } while (std::next_permutation(p.order.begin(), p.order.end()));
    const Permute middle{{0, 2, 1, 3}};
    for (const Shape& shape : {Shape{1, 1, 1, 1}, {1, 7, 1, 33}, {5, 33, 2, 3}, {3, 5, 3, 16}, {2, 5, 2, 6}}) {
      cases.push_back(permute_case(shape, middle, dtype));  // units of 2, 4 and 16 bytes
    }
    cases.push_back(permute_case({1, 33, 5, 3}, {{0, 3, 1, 2}}, dtype));
    cases.push_back(unaligned(permute_case({3, 5, 2, 16}, middle, dtype)));
    OpCase shuffle = permute_case({16 * 32, 32, 2, 128}, middle, dtype);  // 64 channels to twice the size
    shuffle.name = "shuffle_" + shuffle.name;
    OpCase planes = permute_case({16, 64, 64, 3}, {{0, 3, 1, 2}}, dtype);
    planes.name = "planes_" + planes.name;
    for (OpCase* c : {&shuffle, &planes}) {
      c->tags = {"perf"};
      cases.push_back(std::move(*c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::permute_cases
