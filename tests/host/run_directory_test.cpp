// The run directory: what a new run refuses, the lock, checkpoints that are whole, `latest` that never dangles.
#include "host/run/run_directory.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

namespace duel {
namespace {

namespace fs = std::filesystem;
using test::names_in;
using test::read_file;
using test::status_of_child;
using test::TemporaryFolder;
using test::write_file;

constexpr auto kData = Error::Kind::data;
constexpr auto kUsage = Error::Kind::usage;
using Names = std::vector<std::string>;
using Steps = std::vector<std::int64_t>;

void publish(const RunDirectory& run, std::int64_t step, int keep_last = 0, int keep_every = 0) {
  AtomicFolder checkpoint = run.begin_checkpoint(step);
  write_file(checkpoint.path() / "model", std::to_string(step));
  run.publish_checkpoint(std::move(checkpoint), keep_last, keep_every);
}

std::string latest_text(const RunDirectory& run) {
  return read_file(run.checkpoints_path() / "latest");
}

TEST(RunDirectory, HasThePathsOfItsDescription) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "runs/a", "seed = 1\n");
  EXPECT_EQ(run.path(), folder / "runs/a");
  EXPECT_EQ(run.config_path(), folder / "runs/a/config.toml");
  EXPECT_EQ(run.metrics_path(), folder / "runs/a/metrics.jsonl");
  EXPECT_EQ(run.log_path(), folder / "runs/a/log.txt");
  EXPECT_EQ(run.sample_path(500), folder / "runs/a/samples/step_000000500.png");
  EXPECT_EQ(run.checkpoint_path(500), folder / "runs/a/checkpoints/step_000000500");
  EXPECT_EQ(run.checkpoint_path(12'345'678'901), folder / "runs/a/checkpoints/step_12345678901");
  EXPECT_EQ(run.read_config(), "seed = 1\n");
  EXPECT_EQ(names_in(run.path()), (Names{".lock", "checkpoints", "config.toml", "samples"}));
  EXPECT_TRUE(run.checkpoints().empty());
  EXPECT_EQ(run.latest_checkpoint(), std::nullopt);
  EXPECT_ERROR(run.require_latest_checkpoint(), kData, "runs/a: has no checkpoint yet");
}

TEST(RunDirectory, IsCreatedInAnEmptyFolderOnly) {
  TemporaryFolder folder;
  fs::create_directory(folder / "empty");
  EXPECT_NO_THROW(RunDirectory::create(folder / "empty", ""));
  EXPECT_ERROR(RunDirectory::create(folder / "empty", ""), kUsage, "holds a run already (without a checkpoint)");
  publish(RunDirectory::open_for_training(folder / "empty"), 250);
  EXPECT_ERROR(RunDirectory::create(folder / "empty", ""), kUsage, "step 250); continue it with --resume");

  fs::create_directory(folder / "photos");
  write_file(folder / "photos/b.jpg", "");
  EXPECT_ERROR(RunDirectory::create(folder / "photos", ""), kUsage, "photos: is not empty (b.jpg); name another --out");
  write_file(folder / "photos/a.jpg", "");
  write_file(folder / "photos/c.jpg", "");
  EXPECT_ERROR(RunDirectory::create(folder / "photos", ""), kUsage, "(a.jpg and 2 more)");
  EXPECT_EQ(names_in(folder / "photos").size(), 3U);

  write_file(folder / "file", "");
  EXPECT_ERROR(RunDirectory::create(folder / "file", ""), kUsage, "file: is a file");
  EXPECT_ERROR(RunDirectory::create(folder / "file/sub", ""), kData, "Not a directory");
  fs::create_directory(folder / "left");
  write_file(folder / "left/.lock", "pid 1");
  EXPECT_NO_THROW(RunDirectory::create(folder / "left", "")) << "a lock alone is what a failed start leaves";
}

TEST(RunDirectory, SaysWhatIsNoRun) {
  TemporaryFolder folder;
  EXPECT_ERROR(RunDirectory::open_for_reading(folder / "absent"), kData, "absent: there is no such run directory");
  EXPECT_ERROR(RunDirectory::open_for_training(folder / "absent"), kData, "absent: there is no such run directory");
  EXPECT_ERROR(RunDirectory::open_for_reading(folder.path()), kData,
               "is not a run directory, because it has no config");
  EXPECT_ERROR(RunDirectory::open_for_training(folder.path()), kData, "is not a run directory");
  EXPECT_TRUE(names_in(folder.path()).empty()) << "a refused folder is left as it was";
}

TEST(RunDirectory, IsTrainedIntoByOneProcessAtATime) {
  TemporaryFolder folder;
  {
    const auto run = RunDirectory::create(folder / "a", "");
    const std::string owner = fmt::format("is running: another process (pid {} on ", ::getpid());
    EXPECT_ERROR(RunDirectory::open_for_training(folder / "a"), kData, owner);
    EXPECT_ERROR(RunDirectory::create(folder / "a", ""), kData, owner);
    EXPECT_NO_THROW(RunDirectory::open_for_reading(folder / "a"));
    EXPECT_EQ(status_of_child([&] {
                const auto error = test::error_of([&] { RunDirectory::open_for_training(folder / "a"); });
                return error && error->kind() == kData ? 0 : 1;
              }),
              0);
  }
  EXPECT_NO_THROW(RunDirectory::open_for_training(folder / "a"));
}

// As on Lustre and EFS: the kernel answers flock() with this error.
void refuse_locks(int error_number) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_flock, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error_number)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {std::size(program), program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    throw std::runtime_error("no filter of system calls can be set here");
  }
}

TEST(RunDirectory, WarnsWhereThereAreNoLocks) {
  TemporaryFolder folder;
  for (const int refusal : {ENOTSUP, ENOLCK, ENOSYS, EINVAL, EPERM}) {
    const fs::path path = folder / std::to_string(refusal);
    const int status = status_of_child([&] {
      refuse_locks(refusal);
      const auto run = RunDirectory::create(path, "");
      const auto again = test::error_of([&] { RunDirectory::open_for_training(path); });  // its own: goes on
      return !again && run.warnings().size() == 1 && run.warnings()[0].find("has no locks") != std::string::npos ? 0
                                                                                                                 : 1;
    });
    if (status == 99) {
      GTEST_SKIP() << "no filter of system calls can be set here";
    }
    EXPECT_EQ(status, 0) << refusal;
  }
  // Without locks the name of a living process is what is left to go by.
  const auto run = RunDirectory::create(folder / "a", "");
  EXPECT_EQ(status_of_child([&] {
              refuse_locks(ENOLCK);
              const auto error = test::error_of([&] { RunDirectory::open_for_training(folder / "a"); });
              return error && std::string(error->what()).find("is running") != std::string::npos ? 0 : 1;
            }),
            0);
}

TEST(RunDirectory, BeginsInWhatAFailedStartLeft) {
  TemporaryFolder folder;
  const fs::path left = folder / "left";
  fs::create_directories(left / "samples");
  fs::create_directories(left / "checkpoints/step_000000000.tmp-7");
  fs::create_directories(left / "checkpoints/step_000000000");
  write_file(left / "checkpoints/latest", "step_000000000\n");
  write_file(left / ".lock", "");
  write_file(left / "config.toml.tmp-7", "");
  {
    const auto run = RunDirectory::create(left, "");
    EXPECT_EQ(names_in(left), (Names{".lock", "checkpoints", "config.toml", "samples"}));
    EXPECT_TRUE(run.checkpoints().empty());
  }
  fs::remove(left / "config.toml");
  write_file(left / "samples/mine.png", "");
  EXPECT_ERROR(RunDirectory::create(left, ""), kUsage, "left: is not empty (samples)");
  fs::create_directories(folder / "old/checkpoints/step_000000500");
  EXPECT_ERROR(RunDirectory::create(folder / "old", ""), kUsage, "old: is not empty (checkpoints)");
  EXPECT_TRUE(fs::exists(left / "samples/mine.png"));
}

TEST(RunDirectory, IsMadeAgainWhereItVanished) {
  TemporaryFolder folder;
  auto run = RunDirectory::create(folder / "a", "seed = 1\n");
  EXPECT_TRUE(run.restore("seed = 1\n").empty());
  fs::remove_all(run.samples_path());
  EXPECT_EQ(run.restore("").size(), 1U);
  fs::remove_all(run.path());
  EXPECT_EQ(run.restore("seed = 2\n").size(), 4U);
  EXPECT_EQ(run.read_config(), "seed = 2\n");
  EXPECT_EQ(names_in(run.path()), (Names{".lock", "checkpoints", "config.toml", "samples"}));
  EXPECT_ERROR(RunDirectory::open_for_training(folder / "a"), kData, "is running");
}

TEST(RunDirectory, SaysBeforehandWhereItCannotBeCreated) {
  TemporaryFolder folder;
  EXPECT_NO_THROW(RunDirectory::check_can_create(folder / "new/run"));
  EXPECT_TRUE(names_in(folder.path()).empty()) << "nothing is left behind";
  EXPECT_ERROR(RunDirectory::check_can_create("/proc/duel/run"), kData, "/proc/duel/run: no run can be written there");
  write_file(folder / "file", "");
  EXPECT_ERROR(RunDirectory::check_can_create(folder / "file"), kUsage, "is a file");
  RunDirectory::create(folder / "a", "");
  EXPECT_ERROR(RunDirectory::check_can_create(folder / "a"), kUsage, "holds a run already");
}

TEST(RunDirectory, KnowsTheConfigurationOfACheckpoint) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  publish(run, 100);
  EXPECT_EQ(run.config_path(100), run.config_path());
  write_file(run.checkpoint_path(100) / "config.toml", "");
  EXPECT_EQ(run.config_path(100), run.checkpoint_path(100) / "config.toml");
}

TEST(RunDirectory, IsFreeAfterAKill) {
  TemporaryFolder folder;
  const int status = status_of_child([&] {
    const auto run = RunDirectory::create(folder / "a", "");
    const AtomicFolder half = run.begin_checkpoint(100);
    write_file(half.path() / "model", "half");
    return ::raise(SIGKILL);
  });
  EXPECT_EQ(status, -1);
  const fs::path checkpoints = folder / "a/checkpoints";
  ASSERT_EQ(names_in(checkpoints).size(), 1U);
  write_file(folder / "a/config.toml.tmp-99", "");
  write_file(folder / "a/samples/step_000000001.png.tmp-99", "");
  write_file(folder / "a/samples/mine.png", "");

  EXPECT_NO_THROW(RunDirectory::open_for_reading(folder / "a"));
  EXPECT_EQ(names_in(checkpoints).size(), 1U) << "a reader removes nothing";
  const auto run = RunDirectory::open_for_training(folder / "a");
  EXPECT_TRUE(names_in(checkpoints).empty());
  EXPECT_EQ(names_in(run.path()), (Names{".lock", "checkpoints", "config.toml", "samples"}));
  EXPECT_EQ(names_in(run.samples_path()), Names{"mine.png"});
}

TEST(RunDirectory, PublishesCheckpoints) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  publish(run, 500);
  EXPECT_EQ(latest_text(run), "step_000000500\n");
  publish(run, 1000);
  EXPECT_EQ(run.latest_checkpoint(), 1000);
  EXPECT_EQ(run.require_latest_checkpoint(), 1000);
  EXPECT_EQ(run.checkpoints(), (Steps{500, 1000}));
  EXPECT_EQ(read_file(run.checkpoint_path(500) / "model"), "500");
  EXPECT_EQ(names_in(run.checkpoints_path()), (Names{"latest", "step_000000500", "step_000001000"}));
}

TEST(RunDirectory, ForgetsACheckpointThatWasNotPublished) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  publish(run, 500);
  {
    const AtomicFolder half = run.begin_checkpoint(1000);
    EXPECT_EQ(run.checkpoints(), Steps{500});
  }
  EXPECT_EQ(run.latest_checkpoint(), 500);
  EXPECT_EQ(names_in(run.checkpoints_path()), (Names{"latest", "step_000000500"}));
}

TEST(RunDirectory, ReplacesACheckpointOfTheSameStep) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  publish(run, 500);
  AtomicFolder again = run.begin_checkpoint(500);
  write_file(again.path() / "model", "again");
  run.publish_checkpoint(std::move(again), 1, 0);
  EXPECT_EQ(read_file(run.checkpoint_path(500) / "model"), "again");
  EXPECT_EQ(names_in(run.checkpoints_path()), (Names{"latest", "step_000000500"}));
}

TEST(RunDirectory, PrunesByItsRules) {
  const struct {
    int keep_last, keep_every;
    Steps kept;
  } cases[] = {
      {0, 0, {100, 200, 300, 400, 500, 600}},
      {0, 200, {100, 200, 300, 400, 500, 600}},
      {1, 0, {600}},
      {3, 0, {400, 500, 600}},
      {2, 200, {200, 400, 500, 600}},
      {1, 300, {300, 600}},
      {2, 7, {500, 600}},
      {9, 0, {100, 200, 300, 400, 500, 600}},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(fmt::format("keep_last {} keep_every {}", item.keep_last, item.keep_every));
    TemporaryFolder folder;
    const auto run = RunDirectory::create(folder / "a", "");
    for (std::int64_t step = 100; step <= 600; step += 100) {
      publish(run, step, item.keep_last, item.keep_every);
      EXPECT_EQ(run.latest_checkpoint(), step);
      EXPECT_TRUE(fs::exists(run.checkpoint_path(step) / "model"));
    }
    EXPECT_EQ(run.checkpoints(), item.kept);
    EXPECT_EQ(names_in(run.checkpoints_path()).size(), item.kept.size() + 1);
  }
}

TEST(RunDirectory, NeverPrunesWhatBestNames) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  EXPECT_EQ(run.best_checkpoint(), std::nullopt);
  EXPECT_ERROR(run.require_best_checkpoint(), kData, "has no best checkpoint");
  for (const std::int64_t step : {100, 200, 300, 400}) {
    publish(run, step, 2);
    if (step == 200) {
      run.set_best(step);
    }
  }
  EXPECT_EQ(run.checkpoints(), (Steps{200, 300, 400}));
  EXPECT_EQ(run.require_best_checkpoint(), 200);
  EXPECT_EQ(run.latest_checkpoint(), 400);
  run.set_best(400);
  run.prune_checkpoints(1, 0);
  EXPECT_EQ(run.checkpoints(), (Steps{400}));
  run.set_best(std::nullopt);
  run.set_best(std::nullopt);
  EXPECT_EQ(run.best_checkpoint(), std::nullopt);
  write_file(run.checkpoints_path() / "best", "step_000000100");  // which somebody has removed
  EXPECT_EQ(run.best_checkpoint(), std::nullopt);
}

TEST(RunDirectory, NeverPrunesWhatLatestNames) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  for (const std::int64_t step : {100, 200, 300, 400}) {
    publish(run, step);
  }
  write_file(run.checkpoints_path() / "latest", "step_000000200");  // somebody goes back
  run.prune_checkpoints(1, 0);
  EXPECT_EQ(run.latest_checkpoint(), 200);
  EXPECT_EQ(run.checkpoints(), (Steps{200, 300, 400}));
  publish(run, 250, 1, 0);
  EXPECT_EQ(run.latest_checkpoint(), 250);
  EXPECT_EQ(run.checkpoints(), (Steps{250, 300, 400}));
}

TEST(RunDirectory, TakesTheNewestWhereLatestIsOfNoUse) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  publish(run, 100);
  publish(run, 200);
  for (const char* text : {"", "\n", "step_000000300", "../..", "step_200", "step_000000100x", "step_-00000100"}) {
    write_file(run.checkpoints_path() / "latest", text);
    EXPECT_EQ(run.latest_checkpoint(), 200) << text;
  }
  write_file(run.checkpoints_path() / "latest", "step_000000100\r\n");
  EXPECT_EQ(run.latest_checkpoint(), 100);
  fs::remove(run.checkpoints_path() / "latest");
  EXPECT_EQ(run.latest_checkpoint(), 200);
  fs::remove_all(run.checkpoint_path(200));
  EXPECT_EQ(run.latest_checkpoint(), 100);
  fs::remove_all(run.checkpoints_path());
  EXPECT_EQ(run.latest_checkpoint(), std::nullopt);
}

TEST(RunDirectory, CountsNothingElseAsACheckpoint) {
  TemporaryFolder folder;
  const auto run = RunDirectory::create(folder / "a", "");
  for (const char* name : {"step_5", "step_0000000500", "step_00000050x", "step_", "best", "step_000000500.tmp-1"}) {
    fs::create_directory(run.checkpoints_path() / name);
  }
  write_file(run.checkpoints_path() / "step_000000700", "a file");
  EXPECT_TRUE(run.checkpoints().empty());
  fs::create_directory(run.checkpoints_path() / "step_99999999999");
  fs::create_directory(run.checkpoints_path() / "step_000000000");
  EXPECT_EQ(run.checkpoints(), (Steps{0, 99'999'999'999}));
}

// Whenever the writer is killed, a reader finds a whole checkpoint, and the run can be opened again.
TEST(RunDirectory, AlwaysHasAWholeLatestCheckpoint) {
  TemporaryFolder folder;
  publish(RunDirectory::create(folder / "a", ""), 1);
  for (int round = 0; round < 10; ++round) {
    const pid_t writer = ::fork();
    if (writer == 0) {
      try {
        const auto run = RunDirectory::open_for_training(folder / "a");
        for (std::int64_t step = *run.latest_checkpoint() + 1;; ++step) {
          publish(run, step, 2, 0);
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    ::usleep(static_cast<useconds_t>(3000 + 2711 * round));
    ::kill(writer, SIGKILL);
    int status = 0;
    ::waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended with an error";
    const auto run = RunDirectory::open_for_reading(folder / "a");
    const std::int64_t latest = run.require_latest_checkpoint();
    EXPECT_EQ(read_file(run.checkpoint_path(latest) / "model"), std::to_string(latest));
    EXPECT_EQ(latest_text(run), fmt::format("step_{:09}\n", latest));
  }
  const auto run = RunDirectory::open_for_training(folder / "a");
  for (const std::string& name : names_in(run.checkpoints_path())) {
    EXPECT_FALSE(is_temporary_name(name)) << name;
  }
}

}  // namespace
}  // namespace duel
