// The command `duel`: parses, dispatches, and turns the one exception type into one line and an exit code.
#include "kernels/check.h"
#include "tools/verbs/verbs.h"

#include <cstdio>
#include <new>

int main(int argc, char** argv) {
  CLI::App app("Duel trains generative adversarial networks on product pictures.", "duel");
  app.require_subcommand(0, 1);  // none at all is answered below: CLI11 would say so of a misspelt one too
  app.set_version_flag("--version", "duel " DUEL_VERSION);
  int exit_code = 0;
  duel::add_train(app, exit_code);
  duel::add_generate(app, exit_code);
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
    return app.exit(error) == 0 ? 0 : static_cast<int>(duel::Error::Kind::usage);
  } catch (const duel::Error& error) {
    std::fflush(stdout);
    fmt::print(stderr, "duel: {}\n", error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "duel: out of memory; a smaller batch needs less\n");
    return static_cast<int>(duel::Error::Kind::device);
  } catch (const std::exception& error) {
    fmt::print(stderr, "duel: internal error: {}\n", error.what());
    return static_cast<int>(duel::Error::Kind::internal);
  }
}
