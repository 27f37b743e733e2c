#include "host/train/perceptual_run.h"

#include "host/config/configuration.h"
#include "host/files/atomic_file.h"
#include "host/run/checkpoint_manifest.h"
#include "host/run/run_directory.h"
#include "kernels/check.h"

#include <filesystem>

namespace duel {

void describe_perceptual_run(Options& options) {
  Options::Perceptual& its = options.perceptual;
  if (its.run == "none") {
    return;
  }
  const RunDirectory run = RunDirectory::open_for_reading(its.run);
  const std::filesystem::path checkpoint = run.checkpoint_path(run.require_latest_checkpoint());
  const CheckpointState manifest = read_manifest(checkpoint);
  if (manifest.recipe != "classify") {
    throw_error(Error::Kind::usage,
                "perceptual.run = {}: is a run of the recipe {}, which tells no pictures apart; `duel train --preset "
                "classify` trains what does",
                its.run, manifest.recipe);
  }
  const std::filesystem::path config = run.config_path(checkpoint);
  const Options classifier = options_from_toml(read_text_file(config), config.string());
  its.channels = picture_shape(manifest, checkpoint)[3];
  its.classes = 0;
  for (const Field& field : manifest.fields.at("main")) {
    if (field.name == classifier.data.target) {
      its.classes = static_cast<int>(field.names.size());
    }
  }
  its.filters = classifier.model.filters;
  its.blocks = classifier.model.blocks;
  its.stages = classifier.model.stages;
  its.stem_stride = classifier.model.stem_stride;
}

}  // namespace duel
