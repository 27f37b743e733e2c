#include "kernels/cross_entropy.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(softmax_cross_entropy, const CrossEntropy&, View logits, View labels, View loss, View log_sums);
DUEL_BACKENDS(softmax_cross_entropy_backward, const CrossEntropy&, View logits, View labels, View log_sums,
              View dlogits);
DUEL_BACKENDS(fraction_correct, View logits, View labels, View y);

namespace {

void check_logits(const char* op, View logits, View labels) {
  check(logits.shape.rank() == 2 && logits.dtype == DType::f32, "{}: logits is {}, but must be f32 of rank 2", op,
        logits);
  check(labels.shape == Shape{logits.shape[0]} && labels.dtype == DType::i32,
        "{}: labels is {}, but must be i32 with a label for each row of logits {}", op, labels, logits);
}

void check_smoothing(const char* op, const CrossEntropy& p) {
  check(p.smoothing >= 0.0F && p.smoothing < 1.0F, "{}: smoothing is {}, but must be in [0, 1)", op, p.smoothing);
}

}  // namespace

void softmax_cross_entropy(Context& context, const CrossEntropy& p, View logits, View labels, View loss,
                           View log_sums) {
  constexpr const char* kOp = "softmax_cross_entropy";
  check_logits(kOp, logits, labels);
  check_smoothing(kOp, p);
  check_f32(kOp, "loss", loss, {1});
  check_f32(kOp, "log_sums", log_sums, {logits.shape[0]});
  context.run([&](auto& backend) { softmax_cross_entropy(backend, p, logits, labels, loss, log_sums); });
}

void softmax_cross_entropy_backward(Context& context, const CrossEntropy& p, View logits, View labels, View log_sums,
                                    View dlogits) {
  constexpr const char* kOp = "softmax_cross_entropy_backward";
  check_logits(kOp, logits, labels);
  check_smoothing(kOp, p);
  check_f32(kOp, "log_sums", log_sums, {logits.shape[0]});
  check_like(kOp, "dlogits", dlogits, "logits", logits);
  context.run([&](auto& backend) { softmax_cross_entropy_backward(backend, p, logits, labels, log_sums, dlogits); });
}

void fraction_correct(Context& context, View logits, View labels, View y) {
  check_logits("fraction_correct", logits, labels);
  check_f32("fraction_correct", "y", y, {1});
  context.run([&](auto& backend) { fraction_correct(backend, logits, labels, y); });
}

}  // namespace duel
