#include "engine/nn/classes.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <cmath>

namespace duel {

namespace {

std::optional<Embedding> make_table(Parameters& parameters, int classes, int width, double deviation) {
  return classes == 0 ? std::nullopt
                      : std::optional<Embedding>(std::in_place, parameters, "classes", classes, width,
                                                 Initial::normal(deviation));
}

void check_given(const std::optional<Embedding>& table, Value classes) {
  check(table.has_value() == classes.exists(), "classes: the network {}, but {} given",
        table ? "is made for some" : "has none", classes.exists() ? "some are" : "none are");
}

}  // namespace

ClassInput::ClassInput(Parameters& parameters, int classes, int width)
    : table_(make_table(parameters, classes, width, 1.0)), columns_(table_ ? 2 * width : width) {}

Value ClassInput::operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const {
  check_given(table_, classes);
  if (!table_) {
    return z;
  }
  return ops::concat_columns(program, z, ops::cast(program, (*table_)(program, weights, classes), program.dtype(z)));
}

ClassProjection::ClassProjection(Parameters& parameters, int classes, int width)
    : table_(make_table(parameters, classes, width, 1 / std::sqrt(width))) {}

Value ClassProjection::operator()(Program& program, const BoundParameters& weights, Value features, Value logits,
                                  Value classes) const {
  check_given(table_, classes);
  if (!table_) {
    return logits;
  }
  const Program::Scope scope(program, "projection");
  const Value rows = ops::cast(program, (*table_)(program, weights, classes), DType::f32);
  const Value products = ops::multiply(program, ops::cast(program, features, DType::f32), rows);
  const Value sums = ops::reduce_sum(program, {Axes::each_row, 1.0F}, products);
  return ops::add(program, logits, program.reshape(sums, program.shape(logits)));
}

}  // namespace duel
