// Who computes a matrix product: our kernels (matmul.cu), or cuBLASLt where it was quicker (choice.h).
#include "kernels/matmul.h"

#include "kernels/cuda/choice.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/matmul_ours.h"
#include "kernels/cuda/vendor.h"

#include <fmt/format.h>

#include <array>

namespace duel {

void prepare_matmul(CudaContext&, const Matmul&, View a, View b, View bias, View y);

namespace {

std::string text_of(const Matmul& p, View a, View b, View bias, View y) {
  return fmt::format("matmul {}{} {}{}{} -> {}, {}", a, p.transpose_a ? "'" : "", b, p.transpose_b ? "'" : "",
                     bias.shape.rank() > 0 ? fmt::format(" {}", bias) : "", y, to_string(p.activation));
}

const VendorPlan* vendor_plan(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (context.choices().are_ours()) {
    return nullptr;
  }
  const std::string text = text_of(p, a, b, bias, y);
  if (!context.choices().has(text)) {
    prepare_matmul(context, p, a, b, bias, y);
  }
  return context.choices().plan(text);
}

}  // namespace

void prepare_matmul(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (context.choices().are_ours()) {
    return;  // their scratch is the context's own
  }
  VendorProblem problem;
  problem.text = text_of(p, a, b, bias, y);
  problem.inputs = {a, b, bias};
  problem.output = y;
  problem.ours = [&](std::span<const View> inputs, View output) {
    matmul_ours(context, p, inputs[0], inputs[1], inputs[2], output);
  };
  problem.vendor = [&] { return context.vendor().matmul_plans(p, context.allows_tf32(), a, b, bias, y); };
  context.choices().decide(context, problem);
}

void matmul(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  const std::array inputs{a, b, bias};
  const VendorPlan* const plan = vendor_plan(context, p, a, b, bias, y);
  if (plan != nullptr && are_aligned(inputs, y)) {
    plan->run(context.stream(), inputs, y, context.scratch());
  } else {
    matmul_ours(context, p, a, b, bias, y);
  }
}

}  // namespace duel
