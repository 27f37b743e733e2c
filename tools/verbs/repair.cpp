#include "tools/verbs/restoration_flags.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_repair(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "repair", "Free photographs of any size of noise, blur or JPEG, or complete them, with the network of a run");
  auto flags = std::make_shared<RestorationFlags>(RestorePhotographs::Verb::repair);
  flags->declare(*verb, "repair");
  flags->declare_job(*verb);
  flags->declare_mask(*verb);
  verb->callback([flags, &exit_code] { exit_code = flags->run(); });
}

}  // namespace duel
