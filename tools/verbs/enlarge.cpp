#include "tools/verbs/restoration_flags.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_enlarge(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("enlarge", "Enlarge photographs of any size with the network of a run");
  auto flags = std::make_shared<RestorationFlags>(RestorePhotographs::Verb::enlarge);
  flags->declare(*verb, "enlarge");
  verb->callback([flags, &exit_code] { exit_code = flags->run(); });
}

}  // namespace duel
