#include "kernels/group_norm.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(group_norm_forward, const GroupNorm&, View x, View gamma, View beta, View y, View mean, View rstd);
DUEL_BACKENDS(group_norm_backward, const GroupNorm&, View dy, View x, View gamma, View mean, View rstd, View dx,
              View dgamma, View dbeta);

namespace {

constexpr int kMostColumns = 1 << 16;

void check_groups(const char* op, const GroupNorm& p, View x) {
  check_float(op, "x", x);
  const int columns = x.shape.back();
  check(p.groups >= 1 && columns % p.groups == 0 && p.epsilon > 0, "{}: x is {}, but with {} groups, epsilon {}", op, x,
        p.groups, p.epsilon);
  const bool is_by_place = p.each_pixel || x.shape.row_count() == columns;
  check(columns <= kMostColumns && (is_by_place || std::int64_t{x.shape[0]} * columns <= kMostNormSums),
        "{}: x is {}, but may have {} columns at most, and {} of all rows", op, x, kMostColumns, kMostNormSums);
}

// Both of [C], or neither.
void check_columns(const char* op, const char* first_name, View first, const char* second_name, View second,
                   bool are_given, View x) {
  check(is_present(first) == are_given && is_present(second) == are_given, "{}: {} {} and {} {}, but must be {}", op,
        first_name, is_present(first) ? "is given" : "is not", second_name, is_present(second) ? "is given" : "is not",
        are_given ? "both" : "neither");
  if (are_given) {
    check_f32(op, first_name, first, {x.shape.back()});
    check_f32(op, second_name, second, {x.shape.back()});
  }
}

}  // namespace

Shape group_norm_statistics(const GroupNorm& p, const Shape& x) {
  return {p.each_pixel ? static_cast<int>(x.outer_count()) : x[0], p.groups};
}

void group_norm_forward(Context& context, const GroupNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  constexpr const char* kOp = "group_norm_forward";
  check_groups(kOp, p, x);
  check_columns(kOp, "gamma", gamma, "beta", beta, is_present(gamma), x);
  check_like(kOp, "y", y, "x", x);
  check_f32(kOp, "mean", mean, group_norm_statistics(p, x.shape));
  check_f32(kOp, "rstd", rstd, group_norm_statistics(p, x.shape));
  context.run([&](auto& backend) { group_norm_forward(backend, p, x, gamma, beta, y, mean, rstd); });
}

void group_norm_backward(Context& context, const GroupNorm& p, View dy, View x, View gamma, View mean, View rstd,
                         View dx, View dgamma, View dbeta) {
  constexpr const char* kOp = "group_norm_backward";
  check_groups(kOp, p, x);
  check_like(kOp, "dy", dy, "x", x);
  check_like(kOp, "dx", dx, "x", x);
  if (is_present(gamma)) {
    check_f32(kOp, "gamma", gamma, {x.shape.back()});
  }
  check_columns(kOp, "dgamma", dgamma, "dbeta", dbeta, is_present(gamma), x);
  check_f32(kOp, "mean", mean, group_norm_statistics(p, x.shape));
  check_f32(kOp, "rstd", rstd, group_norm_statistics(p, x.shape));
  context.run([&](auto& backend) { group_norm_backward(backend, p, dy, x, gamma, mean, rstd, dx, dgamma, dbeta); });
}

}  // namespace duel
