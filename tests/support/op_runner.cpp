#include "tests/support/op_runner.h"

#include "kernels/address_sanitizer.h"
#include "kernels/check.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#if DUEL_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace duel::test {

namespace {

// 0xFF makes every float a NaN, which nothing that reads it can hide; the second run's pattern is another, so that
// whatever depends on memory that is not the operator's differs between the two.
constexpr std::byte kFirstPattern{0xFF}, kSecondPattern{0x5A};

bool is_close(double got, double expected, const Tolerance& tolerance) {
  if (std::isnan(expected) || std::isnan(got)) {
    return std::isnan(expected) && std::isnan(got);
  }
  if (std::isinf(expected) || std::isinf(got)) {
    return got == expected;
  }
  return std::fabs(got - expected) <= tolerance.absolute + tolerance.relative * std::fabs(expected);
}

std::string compare(const OpCase& op_case, const Output& output, const std::vector<std::byte>& bytes,
                    const Array& expected) {
  const Tolerance tolerance = op_case.tolerance_for(output);
  const Array got = from_bytes(bytes, output.dtype);
  std::string text;
  int wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    // The reference may leave the range of the type, as the operator does.
    const double wanted =
        std::isinf(rounded(expected[i], output.dtype)) ? rounded(expected[i], output.dtype) : expected[i];
    if (!is_close(got[i], wanted, tolerance) && ++wrong <= 3) {
      text += fmt::format("  {}[{}] is {:.9g}, but must be {:.9g} (off by {:.3g}, allowed {:.3g})\n", output.name, i,
                          got[i], wanted, std::fabs(got[i] - wanted),
                          tolerance.absolute + tolerance.relative * std::fabs(wanted));
    }
  }
  return wrong == 0 ? "" : fmt::format("{} of {} elements are wrong\n{}", wrong, got.size(), text);
}

// Eleven bits of mantissa, the leading one included.
double rounded_to_tf32(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 11)), exponent - 11);
}

// What one call leaves in the outputs, and what it does wrong besides.
struct Execution {
  std::vector<std::vector<std::byte>> outputs;
  std::string problem;
};

Execution execute(Context& context, const OpCase& op_case, std::byte pattern, const std::vector<int>& alias = {}) {
  const CaseArrays arrays(context, op_case, pattern, alias);
  arrays.forbid_guards(true);
  op_case.run(context, arrays.inputs(), arrays.outputs());
  context.synchronize();
  arrays.forbid_guards(false);
  return {arrays.download_outputs(), arrays.damage()};
}

void prepare(Context& context, const OpCase& op_case) {
  std::vector<View> inputs, outputs;
  for (const Input& input : op_case.inputs) {
    inputs.push_back({nullptr, input.shape, input.dtype});
  }
  for (const Output& output : op_case.outputs) {
    outputs.push_back({nullptr, output.shape, output.dtype});
  }
  op_case.prepare(context, inputs, outputs);
}

std::string check_values(const OpCase& op_case, const Execution& execution, const Arrays& expected) {
  std::string problem = execution.problem;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    problem += compare(op_case, op_case.outputs[i], execution.outputs[i], expected[i]);
  }
  return problem;
}

std::string said_where(const std::string& where, const std::string& problem) {
  return problem.empty() ? "" : where + ": " + problem;
}

// Every output in turn as each input that it may be.
std::string run_in_place(Context& context, const OpCase& op_case, const Arrays& expected) {
  std::string problem;
  for (std::size_t output = 0; output < op_case.outputs.size(); ++output) {
    for (const int input : op_case.outputs[output].may_be) {
      std::vector<int> alias(op_case.outputs.size(), -1);
      alias[output] = input;
      problem += said_where(fmt::format("with {} in place of {}", op_case.outputs[output].name,
                                        op_case.inputs[static_cast<std::size_t>(input)].name),
                            check_values(op_case, execute(context, op_case, kFirstPattern, alias), expected));
    }
  }
  return problem;
}

}  // namespace

bool takes(const Backend& backend, const OpCase& op_case) {
  const bool is_product = op_case.op == "matmul" || op_case.op.starts_with("conv2d_");
  return !backend.tf32 || (is_product && op_case.inputs[0].dtype == DType::f32);
}

OpCase adapted_to(const Backend& backend, const OpCase& op_case) {
  OpCase adapted = op_case;
  if (backend.tf32) {
    for (Input& input : adapted.inputs) {
      input.fill = [fill = input.fill](std::mt19937_64& generator, Array& values) {
        fill(generator, values);
        for (double& value : values) {
          value = rounded_to_tf32(value);
        }
      };
    }
  }
  return adapted;
}

GuardedArray::GuardedArray(Context& context, const Shape& shape, DType dtype, std::byte pattern)
    : context_(&context),
      shape_(shape),
      dtype_(dtype),
      pattern_(pattern),
      buffer_(context, View{nullptr, shape, dtype}.bytes() + 2 * kGuardBytes) {
  const std::vector<std::byte> bytes(buffer_.bytes(), pattern);
  context.upload(buffer_.data(), bytes.data(), bytes.size());
}

View GuardedArray::view() const {
  return buffer_.view(shape_, dtype_, kGuardBytes);
}

void GuardedArray::upload(const std::vector<std::byte>& bytes) {
  context_->upload(view().data, bytes.data(), bytes.size());
}

std::vector<std::byte> GuardedArray::download() const {
  return duel::download<std::byte>(*context_, view());
}

bool GuardedArray::guards_are_intact() const {
  std::vector<std::byte> bytes(buffer_.bytes());
  context_->download(bytes.data(), buffer_.data(), bytes.size());
  const auto is_pattern = [this](std::byte byte) { return byte == pattern_; };
  return std::all_of(bytes.begin(), bytes.begin() + kGuardBytes, is_pattern) &&
         std::all_of(bytes.end() - kGuardBytes, bytes.end(), is_pattern);
}

void GuardedArray::forbid_guards([[maybe_unused]] bool forbidden) const {
#if DUEL_ASAN
  auto* const first = static_cast<std::byte*>(buffer_.data());
  auto* const last = first + buffer_.bytes() - kGuardBytes;
  for (std::byte* const guard : {first, last}) {
    forbidden ? __asan_poison_memory_region(guard, kGuardBytes) : __asan_unpoison_memory_region(guard, kGuardBytes);
  }
#endif
}

CaseArrays::CaseArrays(Context& context, const OpCase& op_case, std::byte pattern, const std::vector<int>& alias)
    : op_case_(&op_case), alias_(alias.empty() ? std::vector<int>(op_case.outputs.size(), -1) : alias) {
  const Arrays values = input_values(op_case), before = initial_values(op_case);
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    const Input& input = op_case.inputs[i];
    inputs_.emplace_back(context, input.shape, input.dtype, pattern);
    input_bytes_.push_back(to_bytes(values[i], input.dtype));
    inputs_.back().upload(input_bytes_.back());
    input_views_.push_back(inputs_.back().view());
  }
  for (std::size_t i = 0; i < op_case.outputs.size(); ++i) {
    const Output& output = op_case.outputs[i];
    outputs_.emplace_back(context, output.shape, output.dtype, pattern);
    if (output.initial) {
      outputs_.back().upload(to_bytes(before[i], output.dtype));
    }
    output_views_.push_back(alias_[i] < 0 ? outputs_.back().view()
                                          : inputs_[static_cast<std::size_t>(alias_[i])].view());
  }
}

std::vector<std::vector<std::byte>> CaseArrays::download_outputs() const {
  std::vector<std::vector<std::byte>> bytes;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    bytes.push_back(alias_[i] < 0 ? outputs_[i].download() : inputs_[static_cast<std::size_t>(alias_[i])].download());
  }
  return bytes;
}

void CaseArrays::forbid_guards(bool forbidden) const {
  for (const std::vector<GuardedArray>* arrays : {&inputs_, &outputs_}) {
    for (const GuardedArray& array : *arrays) {
      array.forbid_guards(forbidden);
    }
  }
}

std::string CaseArrays::damage() const {
  std::string text;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].guards_are_intact()) {
      text += fmt::format("memory beside {} was written to\n", op_case_->inputs[i].name);
    }
    const bool is_output = std::find(alias_.begin(), alias_.end(), static_cast<int>(i)) != alias_.end();
    if (!is_output && inputs_[i].download() != input_bytes_[i]) {
      text += fmt::format("input {} was changed\n", op_case_->inputs[i].name);
    }
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].guards_are_intact()) {
      text += fmt::format("memory beside {} was written to\n", op_case_->outputs[i].name);
    }
  }
  return text;
}

ContractOutcome run_contract(const Backend& backend, const OpCase& given) {
  const OpCase op_case = adapted_to(backend, given);
  const Arrays expected = expected_values(op_case);
  std::string problem;
  std::vector<std::vector<std::byte>> first_bytes;
  std::byte pattern = kFirstPattern, other_pattern = kSecondPattern;
  for (const int variant : backend.variants) {
    const std::shared_ptr<Context> context = backend.open(variant);
    if (op_case.needs_bf16 && !context->supports_bf16()) {
      return {context->name() + " has no bf16 products", ""};
    }
    const bool is_first = first_bytes.empty();
    if (is_first && op_case.prepare) {  // elsewhere the call prepares itself
      prepare(*context, op_case);
    }
    const Execution first = execute(*context, op_case, pattern);
    problem += said_where(context->name(), check_values(op_case, first, expected));
    std::swap(pattern, other_pattern);
    if (backend.repeats) {
      const Execution second = execute(*context, op_case, pattern);
      problem += said_where(context->name(), second.problem);
      if (second.outputs != first.outputs) {
        problem += context->name() + ": a second run gave other bytes\n";
      }
    }
    if (is_first) {
      first_bytes = first.outputs;
      problem += said_where(context->name(), run_in_place(*context, op_case, expected));
    } else if ((backend.same_in_all_variants || op_case.same_for_any_threads) && first.outputs != first_bytes) {
      problem +=
          fmt::format("{}: other bytes in variant {} than in {}\n", context->name(), variant, backend.variants[0]);
    }
  }
  return {"", problem};
}

std::string check_derivative(const std::string& name, const Forward& forward, const Backward& backward,
                             const Array& x) {
  constexpr double kStep = 1e-5;
  std::mt19937_64 generator(x.size());
  Array dy(forward(x).size());
  normal()(generator, dy);
  const auto loss = [&](const Array& at) {
    const Array y = forward(at);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += dy[i] * y[i];
    }
    return sum;
  };
  const Array dx = backward(x, dy);
  if (dx.size() != x.size()) {
    return fmt::format("{}: the derivative has {} elements, but x has {}\n", name, dx.size(), x.size());
  }
  std::string problem;
  for (std::size_t i = 0; i < x.size(); ++i) {
    Array above = x, below = x;
    above[i] += kStep;
    below[i] -= kStep;
    const double slope = (loss(above) - loss(below)) / (2 * kStep);
    if (!is_close(dx[i], slope, {1e-6, 1e-6})) {
      problem += fmt::format("{}: dx[{}] is {:.9g}, but the slope is {:.9g}\n", name, i, dx[i], slope);
    }
  }
  return problem;
}

namespace {

std::string without_comments(std::istream& stream) {
  std::string text;
  for (std::string line; std::getline(stream, line);) {
    text += line.substr(0, line.find("//")) + "\n";
  }
  return text;
}

bool is_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

}  // namespace

std::vector<std::string> declared_operators(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() != ".h" || file == "context.h" || file == "memory.h") {
      continue;
    }
    std::ifstream stream(entry.path());
    const std::string text = without_comments(stream);
    constexpr std::string_view kFirstArgument = "(Context&";
    for (std::size_t end = text.find(kFirstArgument); end != text.npos; end = text.find(kFirstArgument, end + 1)) {
      std::size_t begin = end;
      while (begin > 0 && is_letter(text[begin - 1])) {
        --begin;
      }
      if (const std::string name = text.substr(begin, end - begin); !name.starts_with("prepare_")) {
        names.insert(name);
      }
    }
  }
  check(!names.empty(), "{}: no header here declares an operator", folder);
  return {names.begin(), names.end()};
}

}  // namespace duel::test
