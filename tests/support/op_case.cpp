#include "tests/support/op_case.h"

#include "kernels/check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

namespace duel::test {

namespace {

// FNV-1a: the same number everywhere, unlike std::hash.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
  }
  return hash;
}

double unit(std::mt19937_64& generator) {
  return (static_cast<double>(generator() >> 11) + 0.5) * 0x1p-53;
}

std::uint16_t bf16_bits(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (std::isnan(value)) {
    return 0x7FC0;
  }
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

double bf16_value(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class T, class Convert>
std::vector<std::byte> bytes_as(const Array& values, Convert convert) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

template <class T, class Convert>
Array values_as(std::span<const std::byte> bytes, Convert convert) {
  Array values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = convert(value);
  }
  return values;
}

// Arrays that are to be overwritten begin as NaN, integers too.
template <class T>
T integer_of(double value) {
  return std::isnan(value) ? std::numeric_limits<T>::min() : static_cast<T>(value);
}

Array filled(const OpCase& op_case, const std::string& name, const Shape& shape, DType dtype, const Fill& fill) {
  std::mt19937_64 generator(hash_of(op_case.full_name() + "/" + name));
  Array array(static_cast<std::size_t>(shape.count()));
  fill(generator, array);
  return from_bytes(to_bytes(array, dtype), dtype);
}

std::vector<std::vector<OpCase> (*)()>& makers() {
  static std::vector<std::vector<OpCase> (*)()> list;
  return list;
}

}  // namespace

Fill normal(double scale) {
  return [scale](std::mt19937_64& generator, Array& array) {
    for (double& value : array) {
      const double radius = std::sqrt(-2 * std::log(unit(generator)));
      value = scale * radius * std::cos(2 * std::numbers::pi * unit(generator));
    }
  };
}

Fill uniform(double low, double high) {
  return [low, high](std::mt19937_64& generator, Array& array) {
    for (double& value : array) {
      value = low + (high - low) * unit(generator);
    }
  };
}

Fill integers(int low, int high) {
  return [low, high](std::mt19937_64& generator, Array& array) {
    const auto range = static_cast<std::uint64_t>(high - low + 1);
    for (double& value : array) {
      value = low + static_cast<double>(generator() % range);
    }
  };
}

Fill values(Array first) {
  return [first = std::move(first)](std::mt19937_64&, Array& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
      array[i] = first[i % first.size()];
    }
  };
}

Fill with_head(Array first, Fill others) {
  return [first = std::move(first), others = std::move(others)](std::mt19937_64& generator, Array& array) {
    others(generator, array);
    std::copy_n(first.begin(), std::min(first.size(), array.size()), array.begin());
  };
}

bool OpCase::is_perf() const {
  return std::find(tags.begin(), tags.end(), "perf") != tags.end();
}

Tolerance OpCase::tolerance_for(const Output& output) const {
  if (tolerance) {
    check(!tolerance->reason.empty(), "{}: overrides the tolerance without a reason", full_name());
    return tolerance->tolerance;
  }
  return tolerance_of(output.dtype, terms, output.magnitude);
}

Cost OpCase::least_cost(Views input_views, Views output_views) const {
  if (cost) {
    return cost(input_views, output_views);
  }
  Cost least;
  for (const Views views : {input_views, output_views}) {
    for (const View& view : views) {
      least.bytes += static_cast<double>(view.bytes());
    }
  }
  return least;
}

OpCases::OpCases(std::vector<OpCase> (*make)()) {
  makers().push_back(make);
}

const std::vector<OpCase>& all_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    for (const auto make : makers()) {
      for (OpCase& op_case : make()) {
        all.push_back(std::move(op_case));
      }
    }
    std::sort(all.begin(), all.end(), [](const OpCase& a, const OpCase& b) { return a.full_name() < b.full_name(); });
    for (std::size_t i = 1; i < all.size(); ++i) {
      check(all[i].full_name() != all[i - 1].full_name(), "two operator cases have the name {}", all[i].full_name());
    }
    return all;
  }();
  return cases;
}

Arrays input_values(const OpCase& op_case) {
  Arrays arrays;
  for (const Input& input : op_case.inputs) {
    arrays.push_back(filled(op_case, input.name, input.shape, input.dtype, input.fill));
  }
  return arrays;
}

Arrays initial_values(const OpCase& op_case) {
  Arrays arrays;
  for (const Output& output : op_case.outputs) {
    arrays.push_back(output.initial ? filled(op_case, output.name, output.shape, output.dtype, output.initial)
                                    : Array(static_cast<std::size_t>(output.shape.count()), NAN));
  }
  return arrays;
}

Arrays expected_values(const OpCase& op_case) {
  Arrays outputs = initial_values(op_case);
  op_case.reference(input_values(op_case), outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    check(static_cast<std::int64_t>(outputs[i].size()) == op_case.outputs[i].shape.count(),
          "{}: the reference makes {} elements of {}{}", op_case.full_name(), outputs[i].size(),
          op_case.outputs[i].name, op_case.outputs[i].shape);
  }
  return outputs;
}

std::vector<std::byte> to_bytes(const Array& values, DType dtype) {
  switch (dtype) {
    case DType::f32: return bytes_as<float>(values, [](double value) { return static_cast<float>(value); });
    case DType::bf16: return bytes_as<std::uint16_t>(values, bf16_bits);
    case DType::u8: return bytes_as<std::uint8_t>(values, integer_of<std::uint8_t>);
    case DType::i32: return bytes_as<std::int32_t>(values, integer_of<std::int32_t>);
    case DType::i64: return bytes_as<std::int64_t>(values, integer_of<std::int64_t>);
  }
  throw Error(Error::Kind::internal, "to_bytes: unknown element type");
}

Array from_bytes(std::span<const std::byte> bytes, DType dtype) {
  switch (dtype) {
    case DType::f32: return values_as<float>(bytes, [](float value) { return static_cast<double>(value); });
    case DType::bf16: return values_as<std::uint16_t>(bytes, bf16_value);
    case DType::u8:
      return values_as<std::uint8_t>(bytes, [](std::uint8_t value) { return static_cast<double>(value); });
    case DType::i32:
      return values_as<std::int32_t>(bytes, [](std::int32_t value) { return static_cast<double>(value); });
    case DType::i64:
      return values_as<std::int64_t>(bytes, [](std::int64_t value) { return static_cast<double>(value); });
  }
  throw Error(Error::Kind::internal, "from_bytes: unknown element type");
}

double rounded(double value, DType dtype) {
  return from_bytes(to_bytes({value}, dtype), dtype)[0];
}

OpCase unaligned(const OpCase& op_case) {
  const auto behind_one = [](const Fill& fill) -> Fill {
    return [fill](std::mt19937_64& generator, Array& array) {
      Array others(array.size() - 1);
      fill(generator, others);
      array[0] = 1;
      std::copy(others.begin(), others.end(), array.begin() + 1);
    };
  };
  const auto longer = [](const Shape& shape) { return Shape{static_cast<int>(shape.count()) + 1}; };
  const auto without_first = [](Views views, const auto& arrays) {
    std::vector<View> shorter;
    for (std::size_t i = 0; i < views.size(); ++i) {
      std::byte* const data = views[i].as<std::byte>();  // none while a call is prepared
      shorter.push_back({data != nullptr ? data + size_of(views[i].dtype) : nullptr, arrays[i].shape, views[i].dtype});
    }
    return shorter;
  };
  OpCase c = op_case;
  c.name += "_unaligned";
  for (Input& input : c.inputs) {
    input.shape = longer(input.shape);
    input.fill = behind_one(input.fill);
  }
  for (Output& output : c.outputs) {
    output.shape = longer(output.shape);
    output.initial = behind_one(output.initial ? output.initial : values({NAN}));
  }
  if (op_case.prepare) {
    c.prepare = [=](Context& context, Views in, Views out) {
      op_case.prepare(context, without_first(in, op_case.inputs), without_first(out, op_case.outputs));
    };
  }
  c.run = [=](Context& context, Views in, Views out) {
    op_case.run(context, without_first(in, op_case.inputs), without_first(out, op_case.outputs));
  };
  c.reference = [=](const Arrays& in, Arrays& out) {
    const auto shortened = [](Arrays arrays) {
      for (Array& array : arrays) {
        array.erase(array.begin());
      }
      return arrays;
    };
    Arrays results = shortened(out);
    op_case.reference(shortened(in), results);
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::copy(results[i].begin(), results[i].end(), out[i].begin() + 1);
    }
  };
  return c;
}

std::vector<Activation> every_activation() {
  return {{ActivationKind::identity},
          {ActivationKind::relu},
          {ActivationKind::leaky_relu, 0.2F},
          {ActivationKind::tanh},
          {ActivationKind::sigmoid}};
}

std::string name_of(const Activation& activation) {
  const std::string text = to_string(activation);
  return text.substr(0, text.find('('));  // without the slope
}

std::string name_of_extents(const Shape& shape) {
  return fmt::format("{}", fmt::join(shape.begin(), shape.end(), "x"));
}

std::vector<Shape> ragged_shapes() {
  return {{1},  {3},    {5},    {7},     {15},         {16},          {17},    {31},
          {33}, {1000}, {4099}, {20011}, {5, 7, 9, 3}, {1, 3, 5, 16}, {5, 33}, {7, 1}};
}

}  // namespace duel::test
