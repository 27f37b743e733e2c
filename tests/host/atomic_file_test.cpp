// Files and folders appear whole or not at all; failures name the path, the reason and the numbers.
#include "host/files/atomic_file.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace duel {
namespace {

namespace fs = std::filesystem;
using test::names_in;
using test::read_file;
using test::status_of_child;
using test::TemporaryFolder;
using test::write_file;

constexpr auto kData = Error::Kind::data;
using Names = std::vector<std::string>;

TEST(AtomicFile, WritesAndReplaces) {
  TemporaryFolder folder;
  write_file_atomically(folder / "a", "first");
  EXPECT_EQ(read_file(folder / "a"), "first");
  write_file_atomically(folder / "a", "");
  EXPECT_EQ(read_file(folder / "a"), "");
  EXPECT_EQ(names_in(folder.path()), Names{"a"});
}

TEST(AtomicFile, ShowsNothingBeforeItsCommit) {
  TemporaryFolder folder;
  write_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write(std::as_bytes(std::span(std::string_view("new"))));
    EXPECT_EQ(read_file(folder / "a"), "old");
    EXPECT_EQ(names_in(folder.path()).size(), 2U);
    EXPECT_TRUE(is_temporary_name(names_in(folder.path())[1]));
  }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(names_in(folder.path()), Names{"a"});
}

TEST(AtomicFile, OverwritesTheRestsOfAKilledProcessOfTheSameNumber) {
  TemporaryFolder folder;
  write_file(folder / fmt::format("a.tmp-{}", ::getpid()), "a much longer rest");
  write_file_atomically(folder / "a", "new");
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(names_in(folder.path()), Names{"a"});
}

TEST(AtomicFile, KeepsASymbolicLinkAndReplacesItsTarget) {
  TemporaryFolder folder;
  write_file(folder / "target", "old");
  fs::create_symlink("target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");
}

TEST(AtomicFile, WritesIntoTheCurrentFolder) {
  TemporaryFolder folder;
  EXPECT_EQ(status_of_child([&] {
              fs::current_path(folder.path());
              write_file_atomically("bare", "x");
              return 0;
            }),
            0);
  EXPECT_EQ(names_in(folder.path()), Names{"bare"});
}

TEST(AtomicFile, RefusesWhatIsNoRegularFile) {
  TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_ERROR(write_file_atomically(folder / "sub", "x"), kData, "sub: is a folder");
  EXPECT_ERROR(write_file_atomically(folder / "pipe", "x"), kData, "pipe: is not a regular file");
  EXPECT_ERROR(write_file_atomically("/dev/null", "x"), kData, "/dev/null: is not a regular file");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(names_in(folder.path()), (Names{"pipe", "sub"}));
}

TEST(AtomicFile, NamesAFolderThatIsNotThere) {
  TemporaryFolder folder;
  EXPECT_ERROR(write_file_atomically(folder / "absent/a", "x"), kData,
               "absent/a: cannot be opened for writing: No such file or directory");
  write_file(folder / "file", "");
  EXPECT_ERROR(write_file_atomically(folder / "file/a", "x"), kData, "Not a directory");
}

TEST(AtomicFile, NamesAMissingPermission) {
  TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const int status = status_of_child([&] {
    if (::getuid() == 0 && ::setuid(65534) != 0) {
      return 77;
    }
    const auto error = test::error_of([&] { write_file_atomically(folder / "a", "x"); });
    return error && error->kind() == kData && std::string(error->what()).find("Permission denied") != std::string::npos
               ? 0
               : 1;
  });
  fs::permissions(folder.path(), fs::perms::owner_all);
  if (status == 77) {
    GTEST_SKIP() << "cannot give up root's rights";
  }
  EXPECT_EQ(status, 0);
}

TEST(AtomicFile, LeavesTheOldFileWhereASizeLimitStopsIt) {
  TemporaryFolder folder;
  write_file(folder / "a", "old");
  const int status = status_of_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto error = test::error_of([&] { write_file_atomically(folder / "a", std::string(5000, 'x')); });
    const std::string what = error ? error->what() : "";
    return what.find("/a: cannot write 5000 bytes (1000 of them were written, ") != std::string::npos &&
                   what.find("bytes are free there): File too large") != std::string::npos
               ? 0
               : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(names_in(folder.path()), Names{"a"});
}

// A file system of 64 KiB that only the child process sees.
TEST(AtomicFile, LeavesTheOldFileWhereTheDiskIsFull) {
  TemporaryFolder folder;
  const int status = status_of_child([&] {
    const int flags = ::getuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (::unshare(flags) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
      return 77;
    }
    write_file_atomically(folder / "a", "old");
    const auto error = test::error_of([&] { write_file_atomically(folder / "a", std::string(500'000, 'x')); });
    const std::string what = error ? error->what() : "";
    const bool told = what.find("cannot write 500000 bytes") != std::string::npos &&
                      what.find(" 0 bytes are free there): No space left on device") != std::string::npos;
    return told && read_file(folder / "a") == "old" && names_in(folder.path()) == Names{"a"} ? 0 : 1;
  });
  if (status == 77) {
    GTEST_SKIP() << "a small file system cannot be mounted here";
  }
  EXPECT_EQ(status, 0);
}

TEST(AtomicFolder, AppearsWhole) {
  TemporaryFolder folder;
  AtomicFolder draft(folder / "step");
  write_file(draft.path() / "model", "weights");
  fs::create_directory(draft.path() / "inner");
  write_file(draft.path() / "inner/more", "x");
  fs::create_symlink("absent", draft.path() / "dangling");
  EXPECT_FALSE(fs::exists(folder / "step"));
  draft.publish();
  EXPECT_EQ(read_file(folder / "step/model"), "weights");
  EXPECT_EQ(read_file(folder / "step/inner/more"), "x");
  EXPECT_EQ(names_in(folder.path()), Names{"step"});
  EXPECT_ERROR(draft.publish(), Error::Kind::internal, "published already");
}

TEST(AtomicFolder, ReplacesAFolderOfTheSameName) {
  TemporaryFolder folder;
  fs::create_directory(folder / "step");
  write_file(folder / "step/old", "old");
  AtomicFolder draft(folder / "step");
  write_file(draft.path() / "new", "new");
  draft.publish();
  EXPECT_EQ(names_in(folder / "step"), Names{"new"});
  EXPECT_EQ(names_in(folder.path()), Names{"step"});
}

TEST(AtomicFolder, LeavesNothingWhenItIsDropped) {
  TemporaryFolder folder;
  {
    AtomicFolder draft(folder / "step");
    write_file(draft.path() / "model", "weights");
    AtomicFolder moved = std::move(draft);
    EXPECT_EQ(names_in(folder.path()).size(), 1U);
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicFolder, BeginsEmptyWhereAKilledProcessLeftSomething) {
  TemporaryFolder folder;
  const fs::path rest = folder / fmt::format("step.tmp-{}", ::getpid());
  fs::create_directory(rest);
  write_file(rest / "half", "x");
  AtomicFolder draft(folder / "step");
  EXPECT_TRUE(names_in(draft.path()).empty());
}

TEST(AtomicFolder, RemovesAFolderWithItsContent) {
  TemporaryFolder folder;
  fs::create_directories(folder / "step/inner");
  write_file(folder / "step/inner/a", "x");
  remove_folder_atomically(folder / "step");
  EXPECT_TRUE(names_in(folder.path()).empty());
  EXPECT_ERROR(remove_folder_atomically(folder / "step"), kData, "No such file or directory");
}

TEST(AtomicFolder, SyncsAndCreatesOrSaysWhyNot) {
  TemporaryFolder folder;
  write_file(folder / "file", "");
  EXPECT_NO_THROW(create_folder(folder / "a/b/c"));
  EXPECT_NO_THROW(create_folder(folder / "a/b/c"));
  EXPECT_NO_THROW(create_folder((folder / "a/b/d").string() + "/"));
  EXPECT_TRUE(fs::is_directory(folder / "a/b/d"));
  EXPECT_NO_THROW(sync_folder(folder.path()));
  EXPECT_ERROR(create_folder(folder / "file"), kData, "file: cannot be created: Not a directory");
  EXPECT_ERROR(create_folder(folder / "file/sub"), kData, "Not a directory");
  EXPECT_ERROR(sync_folder(folder / "absent"), kData, "absent: cannot be listed: No such file");
}

TEST(AtomicFolder, KnowsTemporaryNames) {
  for (const char* name : {"a.tmp-1", "step_000000500.tmp-4711", "step_000000500.old.tmp-7", "x.tmp-1.tmp-2"}) {
    EXPECT_TRUE(is_temporary_name(name)) << name;
  }
  for (const char* name : {"", "a", "a.tmp", "a.tmp-", ".tmp-1", "a.tmp-1x", "a.tmp-x1", "tmp-1", "a.tmp-1.bak"}) {
    EXPECT_FALSE(is_temporary_name(name)) << name;
  }
}

}  // namespace
}  // namespace duel
