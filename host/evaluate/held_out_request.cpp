#include "host/evaluate/held_out_request.h"

#include "host/files/atomic_file.h"

namespace duel {

Options options_of(const RunDirectory& run, const std::filesystem::path& checkpoint) {
  const std::filesystem::path config = run.config_path(checkpoint);
  return options_from_toml(read_text_file(config), config.string());
}

std::string recipe_of(const std::string& folder) {
  const RunDirectory run = RunDirectory::open_for_reading(folder);
  return options_from_toml(read_text_file(run.config_path()), run.config_path().string()).recipe;
}

}  // namespace duel
