// Signals as a question: which ones ask, that echoes change nothing, and what a later one does.
#include "host/run/interrupt.h"

#include "tests/support/temporary_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

namespace duel {
namespace {

using test::read_file;
using test::status_of_child;
using test::TemporaryFolder;

TEST(Interrupt, EverySignalThatEndsAProgramAsksAndItsEchoesChangeNothing) {
  const std::pair<int, const char*> asking[] = {{SIGINT, "SIGINT"},   {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"},
                                                {SIGQUIT, "SIGQUIT"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"},
                                                {SIGALRM, "SIGALRM"}, {SIGXCPU, "SIGXCPU"}, {SIGPWR, "SIGPWR"}};
  for (const auto& [first, name] : asking) {
    EXPECT_EQ(status_of_child([&, first = first, name = name] {
                const InterruptGuard guard;
                const bool early = InterruptGuard::requested();
                ::raise(first);
                for (const auto& [echo, ignored] : asking) {
                  ::raise(echo);
                  const InterruptGuard inner;  // of a part of the run; forgets nothing
                }
                return !early && InterruptGuard::requested() && InterruptGuard::signal_name() == name ? 0 : 1;
              }),
              0)
        << name;
  }
}

TEST(Interrupt, ALaterSignalGivesUpWaitingAndSaysSo) {
  const TemporaryFolder folder;
  const std::string log = (folder / "log").string();
  EXPECT_EQ(status_of_child([&] {
              const int descriptor = ::open(log.c_str(), O_WRONLY | O_CREAT, 0600);
              ::dup2(descriptor, STDERR_FILENO);
              const InterruptGuard guard;
              InterruptGuard::tell(descriptor);
              ::raise(SIGTERM);
              std::this_thread::sleep_for(std::chrono::milliseconds(2100));
              ::raise(SIGHUP);
              return 0;
            }),
            kGaveUpExitCode);
  const std::string text = read_file(log);
  const std::size_t said = text.find("gave up waiting for the checkpoint");
  ASSERT_NE(said, std::string::npos) << text;
  EXPECT_NE(text.find("gave up waiting", said + 1), std::string::npos) << "on standard error and in the log: " << text;
}

TEST(Interrupt, ALostReaderOrALimitIsAnErrorOfTheCallThatMeetsIt) {
  EXPECT_EQ(status_of_child([] {
              const InterruptGuard guard;
              int ends[2] = {};
              if (::pipe(ends) != 0) {
                return 2;
              }
              ::close(ends[0]);
              ::raise(SIGXFSZ);
              return ::write(ends[1], "x", 1) == -1 && errno == EPIPE && !InterruptGuard::requested() ? 0 : 1;
            }),
            0);
}

TEST(Interrupt, NohupIsKeptAndTheRestPutBack) {
  EXPECT_EQ(status_of_child([] {
              ::signal(SIGHUP, SIG_IGN);
              ::signal(SIGUSR1, SIG_IGN);
              {
                const InterruptGuard guard;
                ::raise(SIGHUP);
                if (InterruptGuard::requested()) {
                  return 1;
                }
              }
              ::raise(SIGUSR1);
              ::raise(SIGTERM);  // as without a guard
              return 2;
            }),
            -1);
}

// What a kernel keeps below the stack pointer stays as it is.
TEST(Interrupt, HandlersHaveAStackOfTheirOwn) {
  stack_t before{}, during{}, after{};
  ASSERT_EQ(::sigaltstack(nullptr, &before), 0);
  {
    const InterruptGuard guard;
    ASSERT_EQ(::sigaltstack(nullptr, &during), 0);
    struct sigaction action = {};
    ASSERT_EQ(::sigaction(SIGTERM, nullptr, &action), 0);
    EXPECT_NE(action.sa_flags & SA_ONSTACK, 0);
    EXPECT_EQ(during.ss_flags & SS_DISABLE, 0);
    EXPECT_NE(during.ss_sp, before.ss_sp);
  }
  ASSERT_EQ(::sigaltstack(nullptr, &after), 0);
  EXPECT_EQ(after.ss_flags, before.ss_flags);
}

}  // namespace
}  // namespace duel
