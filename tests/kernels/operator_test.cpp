// Every case of every operator, on every backend: cases/OperatorTest.Contract/cpu__<op>__<case>.
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

namespace duel::test {

namespace {

struct CaseOnBackend {
  const Backend* backend;
  const OpCase* op_case;
};

void PrintTo(const CaseOnBackend& pair, std::ostream* stream) {
  *stream << pair.op_case->full_name() << " on " << pair.backend->name;
}

class OperatorTest : public testing::TestWithParam<CaseOnBackend> {};

std::vector<CaseOnBackend> cases_on_backends() {
  std::vector<CaseOnBackend> list;
  for (const Backend& backend : backends()) {
    for (const OpCase& op_case : all_cases()) {
      if (!op_case.is_perf() && takes(backend, op_case)) {
        list.push_back({&backend, &op_case});
      }
    }
  }
  return list;
}

std::string name_of_test(const testing::TestParamInfo<CaseOnBackend>& info) {
  return info.param.backend->name + "__" + info.param.op_case->op + "__" + info.param.op_case->name;
}

TEST_P(OperatorTest, Contract) {
  const auto& [backend, op_case] = GetParam();
  const ContractOutcome outcome = run_contract(*backend, *op_case);
  if (!outcome.skipped.empty()) {
    GTEST_SKIP() << outcome.skipped;
  }
  EXPECT_TRUE(outcome.problem.empty()) << op_case->full_name() << "\n" << outcome.problem;
}

INSTANTIATE_TEST_SUITE_P(cases, OperatorTest, testing::ValuesIn(cases_on_backends()), name_of_test);

// The cases made for benchmarks are large, and their references slow.
TEST(LargeOperatorTest, Contract) {
  if (std::getenv("DUEL_LARGE_CASES") == nullptr) {
    GTEST_SKIP() << "set DUEL_LARGE_CASES=1 to check the cases tagged perf too (minutes)";
  }
  for (const Backend& backend : backends()) {
    for (const OpCase& op_case : all_cases()) {
      if (op_case.is_perf() && takes(backend, op_case)) {
        const ContractOutcome outcome = run_contract(backend, op_case);
        EXPECT_TRUE(outcome.problem.empty()) << op_case.full_name() << " on " << backend.name << "\n"
                                             << outcome.problem;
      }
    }
  }
}

TEST(OperatorCaseTest, HasACost) {
  for (const OpCase& op_case : all_cases()) {
    std::vector<View> inputs, outputs;
    for (const Input& input : op_case.inputs) {
      inputs.push_back({nullptr, input.shape, input.dtype});
    }
    for (const Output& output : op_case.outputs) {
      outputs.push_back({nullptr, output.shape, output.dtype});
    }
    const Cost cost = op_case.least_cost(inputs, outputs);
    double outputs_bytes = 0;
    for (const View& output : outputs) {
      outputs_bytes += static_cast<double>(output.bytes());
    }
    EXPECT_GE(cost.bytes, outputs_bytes) << op_case.full_name();
    EXPECT_GE(cost.flops, 0) << op_case.full_name();
  }
}

}  // namespace

}  // namespace duel::test
