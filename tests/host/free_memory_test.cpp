// Limits of processors and memory, as containers and batch systems set them: read from made-up /proc and /sys.
#include "host/device/free_memory.h"
#include "host/data/open_dataset.h"

#include "host/config/configuration.h"
#include "host/device/cgroup.h"
#include "host/device/default_threads.h"
#include "host/train/memory_check.h"
#include "host/train/trainable.h"
#include "kernels/context.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace duel::test {

namespace {

class LimitsTest : public testing::Test {
protected:
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::filesystem::path root() const { return root_.path(); }
  int threads(int processors, const char* omp = nullptr) const {
    return default_threads(processors, omp, root()).threads;
  }

private:
  TemporaryFolder root_;
};

TEST_F(LimitsTest, WithoutLimitsAllProcessorsCompute) {
  EXPECT_EQ(threads(8), 8);
  EXPECT_EQ(threads(0), 1);
  EXPECT_FALSE(cpu_quota(root()));
  EXPECT_FALSE(free_memory(root()));
  EXPECT_GE(default_threads().threads, 1);
  EXPECT_FALSE(default_threads().why.empty());
}

TEST_F(LimitsTest, TheFirstOfOmpNumThreadsCounts) {
  EXPECT_EQ(threads(8, "3"), 3);
  EXPECT_EQ(threads(8, "2,4"), 2);
  EXPECT_EQ(threads(8, " 5 "), 5);
  EXPECT_EQ(threads(2, "16"), 2);
  for (const char* nonsense : {"", " ", "0", "-1", "two", "2x", "99999999999", ",2"}) {
    EXPECT_EQ(threads(8, nonsense), 8) << nonsense;
  }
  EXPECT_EQ(default_threads(8, "2,4", root()).why, "OMP_NUM_THREADS=2,4");
}

TEST_F(LimitsTest, AQuotaIsRoundedUp) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  for (const auto& [quota, expected] : {std::pair{"150000 100000", 2},
                                        {"50000 100000", 1},
                                        {"100001 100000", 1},
                                        {"300000 100000", 3},
                                        {"max 100000", 8},
                                        {"900000 100000", 8},
                                        {"", 8}}) {
    write("sys/fs/cgroup/cpu.max", quota);
    EXPECT_EQ(threads(8), expected) << quota;
  }
  write("sys/fs/cgroup/cpu.max", "150000 100000");
  EXPECT_EQ(default_threads(8, nullptr, root()).why,
            "the CPU quota of 1.50 processors in " + (root() / "sys/fs/cgroup/cpu.max").string());
}

TEST_F(LimitsTest, TheTightestGroupAboveCounts) {
  write("proc/self/cgroup", "0::/system/job/step\n");
  write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  write("sys/fs/cgroup/system/job/step/cpu.max", "max 100000");
  write("sys/fs/cgroup/system/job/cpu.max", "200000 100000");
  write("sys/fs/cgroup/system/cpu.max", "400000 100000");
  EXPECT_EQ(threads(8), 2);
  write("sys/fs/cgroup/system/job/step/memory.max", "max");
  write("sys/fs/cgroup/system/job/step/memory.current", "1000");
  write("sys/fs/cgroup/system/job/memory.max", "1000000");
  write("sys/fs/cgroup/system/job/memory.current", "700000");
  write("sys/fs/cgroup/system/job/memory.stat",
        "anon 5\nfile 300000\ninactive_file 200000\nactive_file 50000\ninactive_file_x 7\n");
  write("sys/fs/cgroup/system/memory.max", "2000000");
  write("sys/fs/cgroup/system/memory.current", "1900000");
  const std::optional<FreeMemory> free = free_memory(root());
  ASSERT_TRUE(free);
  EXPECT_EQ(free->bytes, 100000U);  // of the outermost; within it there were 1000000 - (700000 - 250000)
  write("sys/fs/cgroup/system/memory.current", "900000");
  EXPECT_EQ(free_memory(root())->bytes, 550000U);
  EXPECT_NE(free_memory(root())->where.find("system/job/memory.max"), std::string::npos);
  write("sys/fs/cgroup/system/job/memory.current", "5000000");  // over its limit: nothing is free
  EXPECT_EQ(free_memory(root())->bytes, 0U);
}

TEST_F(LimitsTest, VersionOneInAContainerWithThePathOfItsHost) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\nnonsense\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  EXPECT_EQ(threads(8), 3);
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(threads(8), 8);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "300");
  EXPECT_FALSE(free_memory(root()));
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000");
  write("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 100\ntotal_active_file 50\n");
  EXPECT_EQ(free_memory(root())->bytes, 850U);
}

TEST_F(LimitsTest, TheMachineMayHaveLessThanTheLimit) {
  write("proc/meminfo", "MemTotal:       2000 kB\nMemFree:         10 kB\nMemAvailable:    512 kB\n");
  EXPECT_EQ(free_memory(root())->bytes, 512U << 10);
  EXPECT_EQ(free_memory(root())->where, "on this machine");
  write("proc/self/cgroup", "0::/../../outside\n");
  write("sys/fs/cgroup/cgroup.controllers", "memory\n");
  write("sys/fs/cgroup/memory.max", "1000000000");
  write("sys/fs/cgroup/memory.current", "0");
  EXPECT_EQ(free_memory(root())->bytes, 512U << 10);
  write("sys/fs/cgroup/memory.max", "1024");
  EXPECT_EQ(free_memory(root())->bytes, 1024U);
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096;
}

Options huge_options() {
  Options options = preset("classic");
  options.device = "cpu";
  options.data.source = "synthetic";
  options.data.synthetic_count = 60000;
  options.data.synthetic_height = options.data.synthetic_width = 8;
  options.model.generator_widths = {4096, 4096};  // 300 MiB with the optimiser's state
  options.train.batch = 60000;
  return options;
}

TEST(CpuMemoryTest, TooLittleNamesABatchThatFitsAndTouchesNothing) {
  Options options = huge_options();
  const Data dataset = open_dataset(options.data);
  Context context = Context::cpu(1);
  const std::size_t before = resident_bytes();
  const FreeMemory free{std::size_t{2} << 30, "under a limit"};
  const auto check = [&](const FreeMemory& available) {
    check_memory(context, options, dataset, plan_training(options, dataset, false, 1), available);
  };
  const std::optional<Error> thrown = error_of([&] { check(free); });
  ASSERT_TRUE(thrown);
  EXPECT_EQ(thrown->kind(), Error::Kind::device);
  const std::string error = thrown->what();
  EXPECT_LT(resident_bytes(), before + (std::size_t{100} << 20));
  EXPECT_NE(error.find("but 2048.0 MiB are free under a limit; --batch "), std::string::npos) << error;
  EXPECT_NE(error.find("schedule.memory=ignore"), std::string::npos) << error;
  options.train.batch = std::stoi(error.substr(error.find("--batch ") + 8));
  EXPECT_GT(options.train.batch, 1);
  EXPECT_NO_THROW(check(free));
  options.train.batch += options.train.batch / 10;
  EXPECT_THROW(check(free), Error);
  const FreeMemory little{std::size_t{1} << 20, ""};
  EXPECT_ERROR(check(little), Error::Kind::device, "but 1.0 MiB are free; no batch would fit");
}

TEST(CpuMemoryTest, RowsThatDoNotFitAreStreamed) {
  Options options = preset("classic");
  options.device = "cpu";
  options.data.source = "synthetic";
  options.data.synthetic_count = 4096;
  options.data.synthetic_height = options.data.synthetic_width = 128;  // 64 MiB
  options.model.generator_widths = {8};
  options.model.discriminator_channels = {2};
  options.model.discriminator_widths = {2};
  options.train.batch = 4;
  const Data dataset = open_dataset(options.data);
  Context context = Context::cpu(1);
  const auto plan_with = [&](std::size_t mebibytes) {
    return plan_trainable(context, options, dataset, FreeMemory{mebibytes << 20, ""});
  };
  EXPECT_FALSE(plan_with(256).batches.is_streamed());
  EXPECT_TRUE(plan_with(100).batches.is_streamed());
  options.schedule.residency = "device";
  EXPECT_ERROR(plan_with(100), Error::Kind::device, "but 100.0 MiB are free");
}

TEST(CpuMemoryTest, IgnoredWhereTheOptionsSaySo) {
  Options options = huge_options();
  options.model.generator_widths = {40000, 40000};  // 24 GiB and more
  const Data dataset = open_dataset(options.data);
  Context context = Context::cpu(1);
  options.schedule.memory = "ignore";
  EXPECT_NO_THROW(plan_trainable(context, options, dataset));
}

}  // namespace

}  // namespace duel::test
