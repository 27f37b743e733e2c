// Wrong calls (refusals_*.cpp): a dispatcher refuses shapes and types that cannot be right before any backend sees
// them, with an Error that names the operator and the shapes. The views have no data, so a call that gets through would
// crash.
#include "kernels/check.h"
#include "tests/support/op_runner.h"
#include "tests/support/paths.h"
#include "tests/support/wrong_calls.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace duel::test {

std::vector<MakeWrongCalls>& wrong_call_makers() {
  static std::vector<MakeWrongCalls> makers;
  return makers;
}

namespace {

WrongCalls wrong_calls() {
  WrongCalls calls;
  for (const MakeWrongCalls make : wrong_call_makers()) {
    calls.merge(make());
  }
  return calls;
}

class RefusalTest : public testing::TestWithParam<std::string> {};

TEST_P(RefusalTest, NamesOperatorAndShapes) {
  const std::string& op = GetParam();
  const WrongCalls calls = wrong_calls();
  ASSERT_TRUE(calls.contains(op))
      << op << " has no wrong calls; add them to the file of its kind, tests/kernels/refusals_*.cpp";
  Context context = Context::cpu(1);
  for (const auto& [what, call, named] : calls.at(op)) {
    try {
      call(context);
      ADD_FAILURE() << op << ": " << what << " is not refused";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), Error::Kind::internal) << message;
      EXPECT_TRUE(message.starts_with(op + ": ")) << what << ": \"" << message << "\" does not begin with " << op;
      for (const std::string& part : named) {
        EXPECT_NE(message.find(part), std::string::npos) << what << ": \"" << message << "\" does not name " << part;
      }
    }
  }
}

// Asked for when the program starts: without the sources (tools/gpu_bundle.sh) the other tests must still run.
std::vector<std::string> operators_of_the_sources() {
  const std::string folder = std::string(source_folder()) + "/kernels";
  return std::filesystem::exists(folder) ? declared_operators(folder) : std::vector<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Operators, RefusalTest, testing::ValuesIn(operators_of_the_sources()),
                         [](const testing::TestParamInfo<std::string>& test) { return test.param; });

TEST(ShapeTest, RefusesExtentsThatCannotBe) {
  EXPECT_THROW(Shape({3, 0}), Error);
  EXPECT_THROW(Shape({-1}), Error);
  EXPECT_THROW(Shape({1, 2, 3, 4, 5}), Error);
}

}  // namespace

}  // namespace duel::test
