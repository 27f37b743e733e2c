// One case of one operator: arrays, a call, and what must come out. Every runner (op_runner.h, and the benchmarks)
// and every backend takes the same list of cases, so nothing here knows of a backend or of a test framework.
//
// Cases of an operator stand in op_cases/<op>.cpp, which registers them with an `OpCases` object. What an input holds
// follows from the names of operator, case and array alone.
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"
#include "tests/reference/array.h"
#include "tests/support/tolerance.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace duel::test {

using reference::Array;
using Arrays = std::vector<Array>;
using Views = std::span<const View>;

// How an array is filled. The values are rounded to the array's type afterwards, for operator and reference alike.
using Fill = std::function<void(std::mt19937_64&, Array&)>;
Fill normal(double scale = 1);
Fill uniform(double low, double high);
Fill integers(int low, int high);          // both included
Fill values(Array first);                  // as given, over and over
Fill with_head(Array first, Fill others);  // `first` at the beginning, the rest as `others`

struct Input {
  std::string name;
  Shape shape;
  DType dtype = DType::f32;
  Fill fill;
};

struct Output {
  std::string name;
  Shape shape;
  DType dtype = DType::f32;
  double magnitude = 1;          // of one term, see tolerance.h
  std::vector<int> may_be = {};  // inputs that the contract allows it to be
  Fill initial = {};             // what it holds before, where the operator reads it; otherwise it is overwritten
};

struct ToleranceOverride {
  Tolerance tolerance;
  std::string reason;
};

struct OpCase {
  std::string op;    // the function's name in kernels/*.h
  std::string name;  // letters, digits and underscores
  std::vector<std::string> tags = {};
  std::vector<Input> inputs = {};
  std::vector<Output> outputs = {};
  std::function<void(Context&, Views inputs, Views outputs)> run = {};
  std::function<void(Context&, Views inputs, Views outputs)> prepare = {};  // the views have no data
  // `outputs` come as their initial contents, or as NaN.
  std::function<void(const Arrays& inputs, Arrays& outputs)> reference = {};
  std::int64_t terms = 1;  // see tolerance.h
  std::optional<ToleranceOverride> tolerance = {};
  bool same_for_any_threads = true;                            // bitwise, however many threads the context has
  bool needs_bf16 = false;                                     // skipped where !context.supports_bf16()
  std::function<Cost(Views inputs, Views outputs)> cost = {};  // without: the bytes of all arrays

  bool is_perf() const;  // tagged "perf": too large for the tests, made for benchmarks
  std::string full_name() const { return op + "/" + name; }
  Tolerance tolerance_for(const Output& output) const;
  Cost least_cost(Views input_views, Views output_views) const;
};

// Registers cases: `const OpCases cases{make_cases};` in op_cases/<op>.cpp.
class OpCases {
public:
  explicit OpCases(std::vector<OpCase> (*make)());
};

// All registered cases, by operator and name. Throws where two have one name.
const std::vector<OpCase>& all_cases();

// The inputs of a case, in double but rounded to their types; and what its outputs hold before.
Arrays input_values(const OpCase& op_case);
Arrays initial_values(const OpCase& op_case);

// What the outputs must be, before rounding to their types.
Arrays expected_values(const OpCase& op_case);

// Values as the bytes of an array of that type and back. bf16 is rounded to nearest even.
std::vector<std::byte> to_bytes(const Array& values, DType dtype);
Array from_bytes(std::span<const std::byte> bytes, DType dtype);
double rounded(double value, DType dtype);

// The same case on arrays that each begin one element behind an aligned address, so that no vector of several elements
// may be read or written there; the element before stays as it is.
OpCase unaligned(const OpCase& op_case);

// What many lists of cases run through, and parts of their names.
std::vector<Shape> ragged_shapes();  // sizes for pointwise operators
std::vector<Activation> every_activation();
std::string name_of_extents(const Shape& shape);    // "5x7x3"
std::string name_of(const Activation& activation);  // "leaky_relu"

}  // namespace duel::test
