#include "host/run_directory.h"
#include "host/training_run.h"
#include "kernels/check.h"
#include "tools/verbs/option_flags.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

namespace {

struct Train {
  OptionFlags flags;
  std::string out;
  bool resume = false, dry_run = false, help_keys = false;

  int run() const {
    if (help_keys) {
      fmt::print("{}", describe_option_keys());
      return 0;
    }
    if (dry_run) {
      print_dry_run(flags.resolve());
      return 0;
    }
    if (out.empty()) {
      throw_error(Error::Kind::usage, "train: --out FOLDER is missing: where the run is to be written");
    }
    if (!resume) {
      return run_training({flags.resolve(), out, false});
    }
    if (flags.names_source()) {
      throw_error(
          Error::Kind::usage,
          "train: --resume continues with the configuration of the run; --preset and --config do not go with it "
          "(--set and --steps do)");
    }
    const std::string config = RunDirectory::open_for_reading(out).config_path().string();
    return run_training({flags.resolve(config), out, true});
  }
};

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("train", "Train a generator and a discriminator against each other");
  auto train = std::make_shared<Train>();
  train->flags.declare(*verb);
  verb->add_option("--out", train->out, "folder of the run; new, or with --resume an existing run's");
  verb->add_flag("--resume", train->resume, "continue the run in --out at its latest checkpoint");
  verb->add_flag("--dry-run", train->dry_run, "print networks, memory and time, and train nothing");
  verb->add_flag("--help-keys", train->help_keys, "print every key of the configuration");
  verb->callback([train, &exit_code] { exit_code = train->run(); });
}

}  // namespace duel
