// A backend's device memory, and the owner of it.
#include "kernels/context.h"

#include "kernels/check.h"
#include "kernels/memory.h"
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>

namespace duel::test {

namespace {

class ContextTest : public testing::TestWithParam<Backend> {
protected:
  std::shared_ptr<Context> context_ = GetParam().open(GetParam().variants.front());
};

TEST_P(ContextTest, HasANameAndADescription) {
  EXPECT_NE(context_->name(), "");
  EXPECT_FALSE(context_->describe().empty());
  for (const auto& [what, value] : context_->describe()) {
    EXPECT_NE(what, "");
    EXPECT_NE(value, "") << what;
  }
}

TEST_P(ContextTest, AllocatesAlignedMemory) {
  for (const std::size_t bytes : {1UL, 3UL, 63UL, 64UL, 65UL, 1000003UL}) {
    void* data = context_->allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0U) << bytes;
    context_->release(data);
  }
}

TEST_P(ContextTest, SaysHowMuchMemoryCouldNotBeHad) {
  try {
    context_->allocate(std::numeric_limits<std::size_t>::max() - 5);
    FAIL() << "all of the address space was allocated";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::device);
  }
}

TEST_P(ContextTest, UploadsAndDownloads) {
  std::vector<float> values(1003);
  std::iota(values.begin(), values.end(), -7.0F);
  const Buffer buffer(*context_, values.size() * sizeof(float));
  const View view = buffer.view({17, 59}, DType::f32);
  upload<float>(*context_, view, values);
  EXPECT_EQ(download<float>(*context_, view), values);
  // A part of it, from an offset on.
  const View tail = buffer.view({3}, DType::f32, 1000 * sizeof(float));
  EXPECT_EQ(download<float>(*context_, tail), (std::vector<float>{993, 994, 995}));
}

TEST_P(ContextTest, ClearsAndNothingElse) {
  const std::vector<std::uint8_t> ones(33, 0xFF);
  Buffer buffer(*context_, ones.size());
  upload<std::uint8_t>(*context_, buffer.view({33}, DType::u8), ones);
  context_->clear(static_cast<std::byte*>(buffer.data()) + 5, 7);
  std::vector<std::uint8_t> expected = ones;
  std::fill_n(expected.begin() + 5, 7, std::uint8_t{0});
  EXPECT_EQ(download<std::uint8_t>(*context_, buffer.view({33}, DType::u8)), expected);
  buffer.clear();
  EXPECT_EQ(download<std::uint8_t>(*context_, buffer.view({33}, DType::u8)), std::vector<std::uint8_t>(33, 0));
}

TEST_P(ContextTest, BufferMoves) {
  const std::vector<std::uint8_t> first{1, 2, 3}, second{4, 5};
  Buffer a(*context_, 3);
  upload<std::uint8_t>(*context_, a.view({3}, DType::u8), first);
  const void* const data = a.data();

  Buffer b = std::move(a);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(b.bytes(), 3U);
  EXPECT_EQ(a.data(), nullptr);  // NOLINT(bugprone-use-after-move): that it is empty is what is tested
  EXPECT_EQ(a.bytes(), 0U);

  Buffer c(*context_, 2);
  upload<std::uint8_t>(*context_, c.view({2}, DType::u8), second);
  c = std::move(b);  // what c had is released
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(download<std::uint8_t>(*context_, c.view({3}, DType::u8)), first);

  Buffer& same = c;
  c = std::move(same);
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(download<std::uint8_t>(*context_, c.view({3}, DType::u8)), first);
}

INSTANTIATE_TEST_SUITE_P(backends, ContextTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<Backend>& test) { return test.param.name; });

TEST(CpuContextTest, TakesTheNumberOfThreadsItIsGiven) {
  EXPECT_EQ(Context::cpu(1).name(), "cpu (1 thread)");
  EXPECT_EQ(Context::cpu(2).name(), "cpu (2 threads)");
  EXPECT_NE(Context::cpu().name(), "cpu (0 threads)");
}

}  // namespace

}  // namespace duel::test
