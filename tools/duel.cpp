// The command `duel`: parses, dispatches, and turns the one exception type into one line and an exit code.
#include "kernels/check.h"
#include "tools/verbs/verbs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>

namespace {

constexpr int code(duel::Error::Kind kind) {
  return static_cast<int>(kind);
}

// A stream that the caller has closed would lend its number to the next file that is opened, a checkpoint perhaps, and
// messages would end up in it. Output to what takes its place fails, as it should.
void occupy_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF) {
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // gets the least free number: this one
    }
  }
}

int complain(int exit_code, const std::string& sentence) {
  std::fflush(stdout);  // first what was printed before
  std::fputs(("duel: " + sentence + "\n").c_str(), stderr);
  return exit_code;
}

int run(int argc, char** argv) {
  CLI::App app("Duel trains generative adversarial networks on product pictures.", "duel");
  app.require_subcommand(0, 1);  // none at all is answered below: CLI11 would say so of a misspelt one too
  app.set_version_flag("--version", "duel " DUEL_VERSION);
  int exit_code = 0;
  duel::add_train(app, exit_code);
  duel::add_generate(app, exit_code);
  duel::add_classify(app, exit_code);
  duel::add_export(app, exit_code);
  duel::add_evaluate(app, exit_code);
  duel::add_enlarge(app, exit_code);
  duel::add_repair(app, exit_code);
  duel::add_translate(app, exit_code);
  duel::add_tryon(app, exit_code);
  duel::add_augment(app, exit_code);
  duel::add_explain(app, exit_code);
  duel::add_project(app, exit_code);
  duel::add_explore(app, exit_code);
  duel::add_data(app, exit_code);
  duel::add_report(app, exit_code);
  duel::add_info(app, exit_code);
  duel::add_bench(app, exit_code);
  duel::add_roofline(app, exit_code);
  duel::add_parity(app, exit_code);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      throw duel::Error(duel::Error::Kind::usage, "no verb was given; `duel --help` lists them");
    }
    return exit_code;
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and errors; all its errors are faults of the command line.
    return app.exit(error) == 0 ? 0 : code(duel::Error::Kind::usage);
  } catch (const duel::Error& error) {
    return complain(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return complain(code(duel::Error::Kind::device), "out of memory; a smaller batch needs less");
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) {  // fmt throws where it cannot print
      return 0;                      // main() says so
    }
    return complain(code(duel::Error::Kind::internal), fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  const int exit_code = run(argc, argv);
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout;
  if (failed && exit_code == 0) {
    return complain(code(duel::Error::Kind::data),
                    fmt::format("standard output: cannot be written{}{}; what was printed is not whole",
                                errno == 0 ? "" : ": ", errno == 0 ? "" : std::strerror(errno)));
  }
  return exit_code;
}
