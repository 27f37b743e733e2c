// The file of kernel choices: what is remembered, and what happens to one that is damaged or cannot be written.
#include "host/device/choice_cache.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace duel::test {
namespace {

const KernelDecision kDecision{
    "matmul a", "cuBLASLt 66:1:2:3", {{"ours", 4.5}, {"cuBLASLt 66:1:2:3", 3.25}}, "a note", "00420001"};

void expect_same(const std::optional<KernelDecision>& found, const KernelDecision& wanted) {
  ASSERT_TRUE(found);
  EXPECT_EQ(found->problem, wanted.problem);
  EXPECT_EQ(found->kernel, wanted.kernel);
  EXPECT_EQ(found->note, wanted.note);
  EXPECT_EQ(found->recipe, wanted.recipe);
  ASSERT_EQ(found->timings.size(), wanted.timings.size());
  for (std::size_t i = 0; i < wanted.timings.size(); ++i) {
    EXPECT_EQ(found->timings[i].kernel, wanted.timings[i].kernel);
    EXPECT_EQ(found->timings[i].us, wanted.timings[i].us);
  }
}

TEST(ChoiceCache, RemembersByDeviceAndProblem) {
  const TemporaryFolder folder;
  const auto file = folder / "a" / "b" / "kernels.json";
  ChoiceCache(file).remember("H100", kDecision);
  KernelDecision other = kDecision;
  other.problem = "matmul b";
  other.note.clear();
  other.timings.clear();  // there was nothing to choose from
  ChoiceCache(file).remember("H100", other);
  ChoiceCache cache(file);
  expect_same(cache.find("H100", "matmul a"), kDecision);
  expect_same(cache.find("H100", "matmul b"), other);
  EXPECT_FALSE(cache.find("H100", "matmul c"));
  EXPECT_FALSE(cache.find("A100", "matmul a"));
  EXPECT_EQ(cache.devices(), (std::map<std::string, std::size_t>{{"H100", 2}}));
}

TEST(ChoiceCache, TwoThatWriteAtOnceLoseNothingOfEachOther) {
  const TemporaryFolder folder;
  const auto file = folder / "kernels.json";
  ChoiceCache first(file), second(file);
  first.remember("H100", kDecision);
  second.remember("A100", kDecision);
  EXPECT_EQ(ChoiceCache(file).devices().size(), 2U);
}

TEST(ChoiceCache, ADamagedFileIsPutAsideAndSaid) {
  const TemporaryFolder folder;
  const auto file = folder / "kernels.json";
  for (const char* text : {"", "{", "[]", "{\"format\": 2}", "{\"format\": 2, \"devices\": {\"H100\": {\"m\": 3}}}",
                           "{\"format\": 2, \"devices\": {\"H100\": {\"m\": {\"kernel\": 1, \"us\": []}}}}"}) {
    write_file(file, text);
    testing::internal::CaptureStderr();
    ChoiceCache cache(file);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find(file.string() + " is no list of kernel choices"), std::string::npos) << text << said;
    EXPECT_EQ(read_file(folder / "kernels.json.corrupt"), text);
    EXPECT_FALSE(std::filesystem::exists(file));
    cache.remember("H100", kDecision);
    expect_same(ChoiceCache(file).find("H100", "matmul a"), kDecision);
  }
}

TEST(ChoiceCache, AnotherFormatIsWrittenAnewAndSaid) {
  const TemporaryFolder folder;
  const auto file = folder / "kernels.json";
  write_file(file, "{\"format\": 1, \"devices\": {\"H100\": {}}}");
  testing::internal::CaptureStderr();
  ChoiceCache cache(file);
  EXPECT_NE(
      testing::internal::GetCapturedStderr().find(" is of format 1, but this program's is 2; kernels are measured"),
      std::string::npos);
  EXPECT_TRUE(cache.devices().empty());
  cache.remember("H100", kDecision);
  EXPECT_EQ(ChoiceCache(file).devices().size(), 1U);
}

TEST(ChoiceCache, AFolderThatCannotBeWrittenCostsOnlyAMeasurement) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  ChoiceCache cache(folder / "file" / "kernels.json");
  testing::internal::CaptureStderr();
  cache.remember("H100", kDecision);
  cache.remember("A100", kDecision);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("kernel choices cannot be remembered: "), std::string::npos) << said;
  EXPECT_EQ(said.find("remembered", said.find("remembered") + 1), std::string::npos) << "said twice: " << said;
  expect_same(cache.find("H100", "matmul a"), kDecision);
}

TEST(ChoiceCache, LiesInTheUsersCache) {
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(ChoiceCache::default_path(), "/somewhere/duel/kernels.json");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_TRUE(ChoiceCache::default_path().string().ends_with("/.cache/duel/kernels.json"));
  if (before != nullptr) {
    ::setenv("XDG_CACHE_HOME", kept.c_str(), 1);
  }
}

}  // namespace
}  // namespace duel::test
