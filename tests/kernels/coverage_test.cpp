// Every operator that a header of kernels/ declares has cases.
#include "tests/support/op_runner.h"
#include "tests/support/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace duel::test {

namespace {

std::set<std::string> operators_with_cases() {
  std::set<std::string> names;
  for (const OpCase& op_case : all_cases()) {
    if (!op_case.is_perf()) {
      names.insert(op_case.op);
    }
  }
  return names;
}

TEST(CoverageTest, EveryOperatorHasCases) {
  const std::set<std::string> covered = operators_with_cases();
  for (const std::string& op : declared_operators(std::string(source_folder()) + "/kernels")) {
    EXPECT_TRUE(covered.contains(op)) << op << " has no case; add it to tests/support/op_cases/";
  }
}

TEST(CoverageTest, EveryCaseNamesAnOperator) {
  const std::vector<std::string> declared = declared_operators(std::string(source_folder()) + "/kernels");
  for (const std::string& op : operators_with_cases()) {
    EXPECT_TRUE(std::find(declared.begin(), declared.end(), op) != declared.end())
        << "there are cases of " << op << ", but no header of kernels/ declares it";
  }
}

// The list itself: the regular expression must not have gone blind.
TEST(CoverageTest, FindsOperatorsOfEveryForm) {
  const std::vector<std::string> declared = declared_operators(std::string(source_folder()) + "/kernels");
  for (const std::string op : {"matmul", "conv2d_backward_weight", "add", "advance_counter", "gather_rows"}) {
    EXPECT_TRUE(std::find(declared.begin(), declared.end(), op) != declared.end()) << op << " is not found";
  }
  for (const std::string other : {"prepare_matmul", "upload", "download", "Buffer", "matmul_output"}) {
    EXPECT_TRUE(std::find(declared.begin(), declared.end(), other) == declared.end()) << other << " is no operator";
  }
}

}  // namespace

}  // namespace duel::test
