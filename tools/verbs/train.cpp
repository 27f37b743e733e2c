#include "host/config/configuration.h"
#include "host/evaluate/run_judge.h"
#include "host/run/interrupt.h"
#include "host/run/run_directory.h"
#include "host/train/training_run.h"
#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/option_flags.h"
#include "tools/verbs/run_plan.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <cstddef>
#include <memory>
#include <new>

namespace duel {

namespace {

constexpr const char* kLatest = "latest";
constexpr const char* kAuto = "auto";

std::unique_ptr<PictureJudge> judge_of(const JudgeRequest& request) {
  return make_run_judge(request, run_training, [](const std::string& line) { fmt::print("{}\n", line); });
}

struct Train {
  OptionFlags flags;
  std::string out, from;
  std::string resume;      // "", kLatest or kAuto
  std::int64_t step = -1;  // -1: the latest
  bool dry_run = false, json = false, help_keys = false;

  int run() const {
    if (help_keys) {
      fmt::print("{}", describe_option_keys());
      return 0;
    }
    const TrainingRequest asked = request();
    if (dry_run) {
      const RunPlan plan = plan_run(asked);
      json ? print_plan_json(plan) : print_plan(plan);
      return 0;
    }
    if (out.empty()) {
      throw_error(Error::Kind::usage, "train: --out FOLDER is missing: where the run is to be written");
    }
    // Until the process is gone: a second signal must not change the exit code of a run that has ended well.
    alignas(InterruptGuard) static std::byte place[sizeof(InterruptGuard)];
    new (place) InterruptGuard;
    const TrainingResult result = run_training(asked);
    if (!result.has_begun) {
      fmt::print("interrupted before training began\n");
    }
    if (result.was_done) {
      fmt::print(
          "{}: nothing is to do: the checkpoint is of step {}, and the run ends at step {}; --steps asks for more\n",
          out, result.step, result.last_step);
    }
    return result.exit_code;
  }

private:
  TrainingRequest request() const {
    check_usage();
    const bool resumes = resume == kLatest || (resume == kAuto && RunDirectory::is_run(out));
    if (!resumes) {
      return {from.empty() ? flags.resolve() : flags.resolve(config_of_source()),
              out,
              false,
              step,
              from,
              show_decoding(),
              judge_of};
    }
    // Where the command line tells a whole configuration, as that of a job that is queued again, it is meant as a
    // whole.
    const std::string config = RunDirectory::open_for_reading(out).config_path().string();
    return {flags.names_source() ? flags.resolve() : flags.resolve(config),
            out,
            true,
            resume == kAuto ? -1 : step,
            "",
            show_decoding(),
            judge_of};
  }

  void check_usage() const {
    if (!resume.empty() && resume != kLatest && resume != kAuto) {
      throw_error(Error::Kind::usage, "train: --resume={}: must be --resume or --resume=auto", resume);
    }
    if (!resume.empty() && out.empty()) {
      throw_error(Error::Kind::usage, "train: --resume needs --out FOLDER: the run that goes on");
    }
    if (resume == kLatest && flags.names_source()) {
      throw_error(
          Error::Kind::usage,
          "train: --resume continues with the configuration of the run; --preset and --config do not go with it "
          "(--set and --steps do, and --resume=auto compares them with the run's)");
    }
    if (resume == kLatest && !from.empty()) {
      throw_error(Error::Kind::usage,
                  "train: --from begins a new run, and --resume continues one; --resume=auto does either");
    }
    if (!from.empty() && flags.names_source()) {
      throw_error(Error::Kind::usage,
                  "train: --from begins with the configuration of that run; --preset and --config do not go with it "
                  "(--set and the other options do)");
    }
    if (step >= 0 && resume != kLatest && from.empty()) {
      throw_error(Error::Kind::usage, "train: --step {}: names a checkpoint to --resume at, or to begin --from", step);
    }
  }

  std::string config_of_source() const {
    const RunDirectory source = RunDirectory::open_for_reading(from);
    return source.config_path(step >= 0 ? step : source.require_latest_checkpoint()).string();
  }
};

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("train", "Train a generator and a discriminator against each other");
  auto train = std::make_shared<Train>();
  train->flags.declare(*verb);
  train->flags.declare_evaluation(*verb);
  add_text(*verb, "--out", train->out, "folder of the run; new, or with --resume an existing run's");
  verb->add_flag("--resume{latest}", train->resume,
                 "continue the run in --out at its latest checkpoint; --resume=auto: or begin it where there is none, "
                 "for jobs that are queued again");
  add_text(*verb, "--from", train->from,
           "a run whose weights this new one begins with; its configuration too, where nothing else is said");
  add_integer(*verb, "--step", train->step, std::int64_t{0}, kMostSteps,
              "of the checkpoint to --resume at, or to begin --from; otherwise the latest");
  CLI::Option* dry_run =
      verb->add_flag("--dry-run", train->dry_run,
                     "print networks, memory, disk and time, check all that the run will need, and train nothing");
  verb->add_flag("--json", train->json, "print what --dry-run finds for programs")->needs(dry_run);
  verb->add_flag("--help-keys", train->help_keys, "print every key of the configuration");
  verb->callback([train, &exit_code] { exit_code = train->run(); });
}

}  // namespace duel
