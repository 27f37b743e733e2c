// Cases of kernels/gan_loss.h.
#include "tests/reference/gan_loss.h"

#include "tests/support/op_case.h"

namespace duel::test {

namespace {

OpCase loss_case(const GanLoss& p, const Shape& shape, DType dtype) {
  const bool reals = needs_reals(p);
  // 1 and -1: the kinks of hinge; the large ones: where exp leaves f32's range.
  OpCase c{.op = "gan_loss",
           .name = fmt::format("{}_{}_{}_{}", name_of(p.side), name_of(p.kind), name_of_extents(shape), name_of(dtype)),
           .inputs = {{"fake", shape, dtype, with_head({-1, 0, 1, -0.0, 30, -30, 100, -100}, normal(2))}},
           .outputs = {{.name = "loss", .shape = {1}, .magnitude = 30},
                       {.name = "dfake", .shape = shape, .dtype = dtype, .may_be = {0}}},
           .run =
               [=](Context& context, Views in, Views out) {
                 gan_loss(context, p, reals ? in[1] : View{}, in[0], out[0], reals ? out[2] : View{}, out[1]);
               },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 const auto result = reference::gan_loss(p, reals ? in[1] : Array{}, in[0]);
                 out[0] = result.loss;
                 out[1] = result.dfake;
                 if (reals) {
                   out[2] = result.dreal;
                 }
               },
           .terms = 4};
  // Of a mean, each term is a share.
  c.outputs[1].magnitude = 1 / static_cast<double>(shape.count());
  if (reals) {
    c.inputs.push_back({"real", shape, dtype, with_head({1, 0, -1, -0.0, -30, 30, 100, 100}, normal(2))});
    c.outputs.push_back(
        {.name = "dreal", .shape = shape, .dtype = dtype, .magnitude = c.outputs[1].magnitude, .may_be = {1}});
  }
  return c;
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const LossKind kind :
       {LossKind::bce, LossKind::lsgan, LossKind::hinge, LossKind::relativistic, LossKind::wgan}) {
    for (const LossSide side : {LossSide::discriminator, LossSide::generator}) {
      for (const Shape& shape : {Shape{1, 1}, {7, 1}, {33, 1}, {5000, 1}}) {
        cases.push_back(loss_case({kind, side}, shape, DType::f32));
      }
      cases.push_back(loss_case({kind, side}, {3, 5, 5, 1}, DType::bf16));  // logits of patches
    }
  }
  // More blocks than one thread each could sum.
  cases.push_back(loss_case({LossKind::bce, LossSide::discriminator}, {200003}, DType::f32));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test
