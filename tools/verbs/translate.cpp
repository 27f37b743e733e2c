#include "tools/verbs/restoration_flags.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_translate(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "translate",
      "Make of photographs of any size what the network of a run makes of such pictures, as grey to colour");
  auto flags = std::make_shared<RestorationFlags>(RestorePhotographs::Verb::translate);
  flags->declare(*verb, "pix2pix, cut or cyclegan");
  verb->callback([flags, &exit_code] { exit_code = flags->run(); });
}

}  // namespace duel
