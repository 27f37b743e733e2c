// The runners find what they are there to find: each test plants one fault into an operator that is otherwise right.
#include "tests/support/op_runner.h"
#include "kernels/address_sanitizer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel::test {

namespace {

constexpr int kLength = 5;

// What the operator has in its hands.
struct Planted {
  float* x;
  float* y;
};

// y = 2 x, f32 [5]; `fault` may then spoil x, y and what lies around them.
OpCase doubling(const std::function<void(const Planted&)>& fault) {
  return {.op = "doubling",
          .name = "planted",
          .inputs = {{"x", {kLength}, DType::f32, normal()}},
          .outputs = {{.name = "y", .shape = {kLength}, .may_be = {0}}},
          .run =
              [=](Context&, Views in, Views out) {
                const Planted arrays{in[0].as<float>(), out[0].as<float>()};
                for (int i = 0; i < kLength; ++i) {
                  arrays.y[i] = 2 * arrays.x[i];
                }
                fault(arrays);
              },
          .reference =
              [](const Arrays& in, Arrays& out) {
                for (std::size_t i = 0; i < in[0].size(); ++i) {
                  out[0][i] = 2 * in[0][i];
                }
              }};
}

std::string problem_of(const std::function<void(const Planted&)>& fault) {
  return run_contract(backends().front(), doubling(fault)).problem;
}

void expect_found(const std::string& problem, const std::string& part) {
  EXPECT_NE(problem.find(part), std::string::npos) << "\"" << problem << "\" does not say: " << part;
}

TEST(OpRunnerTest, PassesWhatIsRight) {
  EXPECT_EQ(problem_of([](const Planted&) {}), "");
}

TEST(OpRunnerTest, FindsAWrongValue) {
  expect_found(problem_of([](const Planted& a) { a.y[3] *= 1.00001F; }), "y[3] is");
}

TEST(OpRunnerTest, FindsAnElementThatIsNotWritten) {
  // As it was before: a NaN in the first run, another pattern in the second.
  OpCase op_case = doubling([](const Planted&) {});
  op_case.run = [](Context&, Views in, Views out) {
    for (int i = 0; i < kLength - 1; ++i) {
      out[0].as<float>()[i] = 2 * in[0].as<float>()[i];
    }
  };
  const std::string problem = run_contract(backends().front(), op_case).problem;
  expect_found(problem, "y[4] is");
  expect_found(problem, "a second run gave other bytes");
}

// Right within the bounds, but for a bit that hangs on what the memory held.
TEST(OpRunnerTest, FindsWhatHangsOnTheMemorysPast) {
  OpCase op_case = doubling([](const Planted&) {});
  op_case.same_for_any_threads = true;
  op_case.run = [](Context&, Views in, Views out) {
    float* y = out[0].as<float>();
    const bool was_nan = std::isnan(y[4]);
    for (int i = 0; i < kLength; ++i) {
      y[i] = 2 * in[0].as<float>()[i];
    }
    y[4] = was_nan ? y[4] : std::nextafter(y[4], 2 * y[4]);
  };
  Backend backend = backends().front();
  backend.variants = {1, 2};
  expect_found(run_contract(backend, op_case).problem, "a second run gave other bytes");
  backend.repeats = false;
  expect_found(run_contract(backend, op_case).problem, "other bytes in variant 2 than in 1");
}

// Under AddressSanitizer the guards are forbidden, and the first touch ends the program.
void expect_found_beside(const std::function<void(const Planted&)>& fault, [[maybe_unused]] const std::string& part) {
#if DUEL_ASAN
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(problem_of(fault), "use-after-poison");
#else
  expect_found(problem_of(fault), part);
#endif
}

TEST(OpRunnerTest, FindsWritesBesideAnArray) {
  expect_found_beside([](const Planted& a) { a.y[kLength] = 0; }, "memory beside y was written to");
  expect_found_beside([](const Planted& a) { a.y[-1] = 0; }, "memory beside y was written to");
  expect_found_beside([](const Planted& a) { a.x[kLength] = 0; }, "memory beside x was written to");
}

TEST(OpRunnerTest, FindsReadsBesideAnArray) {
  expect_found_beside([](const Planted& a) { a.y[0] += 0 * a.x[kLength]; }, "y[0] is");
}

TEST(OpRunnerTest, FindsAChangedInput) {
  expect_found(problem_of([](const Planted& a) {
                 if (a.x != a.y) {
                   a.x[2] = 1;
                 }
               }),
               "input x was changed");
}

TEST(OpRunnerTest, FindsResultsThatDiffer) {
  int calls = 0;
  expect_found(problem_of([&calls](const Planted& a) {
                 a.y[0] = std::nextafter(a.y[0], 1e9F * static_cast<float>(calls++ % 2));
               }),
               "a second run gave other bytes");
}

TEST(OpRunnerTest, FindsWhatFailsInPlace) {
  expect_found(problem_of([](const Planted& a) {
                 if (a.x == a.y) {
                   a.y[1] = 7;
                 }
               }),
               "with y in place of x");
}

TEST(OpRunnerTest, FillsByNameAlone) {
  OpCase op_case = doubling([](const Planted&) {});
  const Arrays first = input_values(op_case);
  EXPECT_EQ(input_values(op_case), first);
  op_case.name = "other";
  EXPECT_NE(input_values(op_case), first);
}

TEST(OpRunnerTest, RoundsToBf16AsTheNearestEven) {
  EXPECT_EQ(rounded(1 + 0x1p-8, DType::bf16), 1);           // a tie, to the even one below
  EXPECT_EQ(rounded(1 + 0x3p-8, DType::bf16), 1 + 0x1p-6);  // a tie, to the even one above
  EXPECT_EQ(rounded(1 + 0x1.1p-8, DType::bf16), 1 + 0x1p-7);
  EXPECT_TRUE(std::isinf(rounded(3.4e38, DType::bf16)));
  EXPECT_TRUE(std::isnan(rounded(NAN, DType::bf16)));
}

}  // namespace

}  // namespace duel::test
