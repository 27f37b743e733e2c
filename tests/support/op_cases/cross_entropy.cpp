// Cases of kernels/cross_entropy.h.
#include "tests/reference/cross_entropy.h"

#include "tests/support/op_case.h"

#include <cmath>

namespace duel::test::cross_entropy_cases {

namespace {

// Labels that are none among them.
Fill any_labels(int classes) {
  return with_head({0.0 + classes - 1, 0, -1, 0.0 + classes, -1e9}, integers(0, classes - 1));
}

std::string describe(const CrossEntropy& p, int rows, int classes) {
  return fmt::format("{}x{}{}", rows, classes, p.smoothing > 0 ? "_smoothed" : "");
}

OpCase loss_case(const CrossEntropy& p, int rows, int classes, const Fill& labels, const Fill& logits) {
  return {.op = "softmax_cross_entropy",
          .name = describe(p, rows, classes),
          .inputs = {{"logits", {rows, classes}, DType::f32, logits}, {"labels", {rows}, DType::i32, labels}},
          .outputs = {{.name = "loss", .shape = {1}, .magnitude = 8},
                      {.name = "log_sums", .shape = {rows}, .magnitude = 8}},
          .run = [=](Context& context, Views in,
                     Views out) { softmax_cross_entropy(context, p, in[0], in[1], out[0], out[1]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                const auto result = reference::softmax_cross_entropy(p, classes, in[0], in[1]);
                out[0] = result.loss;
                out[1] = result.log_sums;
              },
          .terms = 8};
}

OpCase gradient_case(const CrossEntropy& p, int rows, int classes, const Fill& labels, const Fill& log_sums) {
  return {.op = "softmax_cross_entropy_backward",
          .name = describe(p, rows, classes),
          .inputs = {{"logits", {rows, classes}, DType::f32, normal(2)},
                     {"labels", {rows}, DType::i32, labels},
                     {"log_sums", {rows}, DType::f32, log_sums}},
          .outputs = {{.name = "dlogits", .shape = {rows, classes}, .magnitude = 1.0 / rows, .may_be = {0}}},
          .run = [=](Context& context, Views in,
                     Views out) { softmax_cross_entropy_backward(context, p, in[0], in[1], in[2], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::softmax_cross_entropy_backward(p, classes, in[0], in[1], in[2]);
              },
          .terms = 8};
}

OpCase correct_case(const std::string& name, int rows, int classes, const Fill& logits) {
  return {
      .op = "fraction_correct",
      .name = fmt::format("{}_{}x{}", name, rows, classes),
      .inputs = {{"logits", {rows, classes}, DType::f32, logits}, {"labels", {rows}, DType::i32, any_labels(classes)}},
      .outputs = {{.name = "y", .shape = {1}}},
      .run = [](Context& context, Views in, Views out) { fraction_correct(context, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::fraction_correct(classes, in[0], in[1]); }};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const std::string& prefix, OpCase c) {
    c.name = prefix + c.name;
    cases.push_back(std::move(c));
  };
  for (const CrossEntropy& p : {CrossEntropy{}, CrossEntropy{0.1F}}) {
    for (const auto& [rows, classes] :
         {std::pair{1, 1}, {1, 3}, {3, 1}, {7, 5}, {5, 7}, {33, 10}, {16, 33}, {3, 1000}, {1500, 3}}) {
      const Fill labels = integers(0, classes - 1);
      cases.push_back(loss_case(p, rows, classes, labels, normal(3)));
      cases.push_back(gradient_case(p, rows, classes, labels, uniform(4, 9)));
      add("no_label_", loss_case(p, rows, classes, any_labels(classes), normal(3)));
      // What the forward pass gives where there is no label, and for rows with one.
      add("no_label_", gradient_case(p, rows, classes, any_labels(classes),
                                     with_head({4, 5, INFINITY, INFINITY, INFINITY}, uniform(4, 9))));
    }
    // Where exp would overflow, and where all but one vanish.
    OpCase c = loss_case(p, 7, 5, integers(0, 4), with_head({100, -100, 300, 1000, -1000}, normal(200)));
    c.outputs[0].magnitude = c.outputs[1].magnitude = 1000;
    add("large_", c);
  }
  for (const auto& [rows, classes] : {std::pair{1, 1}, {7, 5}, {33, 10}, {16, 33}, {1500, 3}}) {
    cases.push_back(correct_case("any", rows, classes, normal()));
    cases.push_back(correct_case("ties", rows, classes, integers(0, 2)));
  }
  cases.push_back(unaligned(correct_case("one_off", 33, 10, normal())));
  for (OpCase c : {loss_case({0.1F}, 128, 10, integers(0, 9), normal()),
                   gradient_case({0.1F}, 128, 10, integers(0, 9), uniform(2, 3)),
                   correct_case("any", 128, 10, normal()), loss_case({}, 1024, 1000, integers(0, 999), normal())}) {
    c.name = "perf_" + c.name;
    c.tags = {"perf"};
    cases.push_back(std::move(c));
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::cross_entropy_cases
