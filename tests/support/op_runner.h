// What is done with an operator's cases: run them on a backend against the reference, and check the references
// against each other by differentiating them. Nothing here knows of a test framework: a runner returns what is wrong.
#pragma once

#include "kernels/context.h"
#include "kernels/memory.h"
#include "tests/support/op_case.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace duel::test {

// Where cases run. All backends take the same cases. A backend may be run in several variants: numbers of threads on
// the CPU, orders of execution under the emulator.
struct Backend {
  std::string name;
  std::vector<int> variants;                                  // each is run; {0} where there is nothing to choose
  bool same_in_all_variants;                                  // bitwise, whatever the case promises
  std::function<std::shared_ptr<Context>(int variant)> open;  // one context at a time
  bool tf32 = false;  // its products round f32 to TF32: it runs those alone, on numbers that TF32 holds exactly
  // A second run of each variant, in other memory, has to give the same bytes. Without it two variants that follow each
  // other do, in other memory too: enough where all variants give the same.
  bool repeats = true;
};

// Those of this program, each in a file that it is linked with: tests/backends.cpp, tests/emulator/backends.
const std::vector<Backend>& backends();

// Whether the backend runs the case at all, and the case as it runs it.
bool takes(const Backend& backend, const OpCase& op_case);
OpCase adapted_to(const Backend& backend, const OpCase& op_case);

struct ContractOutcome {
  std::string skipped;  // why it was not run
  std::string problem;  // what is wrong; empty where all is well
};

// An array on the device between two zones of a known pattern, of which it also is full itself.
class GuardedArray {
public:
  static constexpr std::size_t kGuardBytes = 256;

  GuardedArray(Context& context, const Shape& shape, DType dtype, std::byte pattern);
  View view() const;
  void upload(const std::vector<std::byte>& bytes);
  std::vector<std::byte> download() const;
  bool guards_are_intact() const;
  // Under AddressSanitizer, whether the guards may be touched at all: reading them must not pass unseen either.
  void forbid_guards(bool forbidden) const;

private:
  Context* context_;
  Shape shape_;
  DType dtype_;
  std::byte pattern_;
  Buffer buffer_;
};

// The arrays of a case on a device, filled. `alias[i]`: the input that output i is, or -1 for an array of its own.
class CaseArrays {
public:
  CaseArrays(Context& context, const OpCase& op_case, std::byte pattern, const std::vector<int>& alias = {});

  Views inputs() const { return input_views_; }
  Views outputs() const { return output_views_; }
  std::vector<std::vector<std::byte>> download_outputs() const;
  void forbid_guards(bool forbidden) const;
  std::string damage() const;  // guards that were written to, inputs that have changed; empty where none

private:
  const OpCase* op_case_;
  std::vector<int> alias_;
  std::vector<GuardedArray> inputs_, outputs_;
  std::vector<std::vector<std::byte>> input_bytes_;
  std::vector<View> input_views_, output_views_;
};

// The contract: right values whatever the outputs held before; nothing written besides the outputs; the same bytes
// when run again, in place, and (where the operator promises it) with another number of threads.
ContractOutcome run_contract(const Backend& backend, const OpCase& op_case);

// Whether backward(x, dy) is the derivative of sum(dy * forward(x)), by central differences in each element of x.
using Forward = std::function<Array(const Array& x)>;
using Backward = std::function<Array(const Array& x, const Array& dy)>;
std::string check_derivative(const std::string& name, const Forward& forward, const Backward& backward, const Array& x);

// The operators: all functions declared in the headers of `folder` that take a Context, but prepare_*, context.h and
// memory.h.
std::vector<std::string> declared_operators(const std::string& folder);

}  // namespace duel::test
