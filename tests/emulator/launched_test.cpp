// Every kernel of kernels/cuda is launched by the operator cases: a kernel that no case reaches is one that no machine
// without a GPU has ever run.
//
// It can only be said at the end, by the process that ran all cases: the ctest emulated.operators does.
#include "emulator/launch.h"
#include "kernels/check.h"
#include "tests/support/paths.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace duel::test {

namespace {

std::string without_comments(const std::string& text) {
  return std::regex_replace(text, std::regex("//[^\n]*"), "");
}

// The names of the functions that a source declares __global__, whatever stands between the two: a result type,
// __launch_bounds__ with its arguments, a line break.
std::set<std::string> kernels_in(const std::string& text) {
  static const std::regex kKernel(R"(__global__(?:\s+void|\s+__launch_bounds__\s*\([^;{]*?\))+\s+(\w+)\s*\()");
  const std::string code = without_comments(text);
  std::set<std::string> names;
  for (std::sregex_iterator match(code.begin(), code.end(), kKernel), end; match != end; ++match) {
    names.insert((*match)[1]);
  }
  return names;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

struct Sources {
  std::set<std::string> kernels;
  std::size_t words = 0;  // __global__, however it goes on
};

Sources read_sources() {
  Sources sources;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(source_folder()) + "/kernels/cuda")) {
    if (entry.path().extension() == ".cu" || entry.path().extension() == ".cuh") {
      std::ifstream stream(entry.path());
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      sources.kernels.merge(kernels_in(text));
      sources.words += count_of(without_comments(text), "__global__");
    }
  }
  return sources;
}

TEST(LaunchedKernelsTest, FindsKernelsOfEveryForm) {
  EXPECT_EQ(kernels_in("__global__ void a_kernel(int x);"), std::set<std::string>{"a_kernel"});
  EXPECT_EQ(
      kernels_in("template <class T>\n__global__ void __launch_bounds__(kThreads * 2, f(1))\n    b_kernel(T x) {}"),
      std::set<std::string>{"b_kernel"});
  EXPECT_EQ(kernels_in("__global__ __launch_bounds__(32) void c_kernel() {}"), std::set<std::string>{"c_kernel"});
  EXPECT_EQ(kernels_in("// __global__ void d_kernel();\n__device__ void e();"), std::set<std::string>{});
  const Sources sources = read_sources();
  EXPECT_EQ(sources.kernels.size(), sources.words) << "a __global__ function is written in a way that is not found";
}

bool all_operator_cases_ran() {
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    if (std::string(suite.name()) == "cases/OperatorTest") {
      return suite.test_to_run_count() == suite.total_test_count();  // neither filtered nor one shard of several
    }
  }
  return false;
}

class LaunchedKernels : public testing::Environment {
public:
  void TearDown() override {
    if (!all_operator_cases_ran()) {
      return;
    }
    const std::set<std::string> launched = emulator::launched_kernels();
    for (const std::string& kernel : read_sources().kernels) {
      EXPECT_TRUE(launched.contains(kernel)) << kernel << " was launched by no operator case";
    }
  }
};

const testing::Environment* const environment = testing::AddGlobalTestEnvironment(new LaunchedKernels);

}  // namespace

}  // namespace duel::test
