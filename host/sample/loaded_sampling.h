// A checkpoint ready to draw from: its recipe's sampling, and what of its weights and state that reads.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"
#include "host/recipes/state_memory.h"
#include "host/run/run_directory.h"
#include "host/sample/sampler.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace duel {

struct LoadedSampling {
  using Choice = std::function<Sampling(const Recipe&)>;

  // Throws kind `data` where the checkpoint is damaged, or does not say what its pictures are; kind `device` where
  // there is too little memory for it and a sheet of so many pictures (drawing_memory.h). `choose` takes another
  // sampling than the recipe's sampling().
  LoadedSampling(Context& context, const RunDirectory& run, const std::filesystem::path& checkpoint,
                 std::int64_t sheet_pictures, const Choice& choose = {});

  SamplingModel model() const { return {sampling, networks, storage}; }

  std::unique_ptr<Recipe> recipe;
  Networks networks;  // of these only what the sampling runs is allocated
  Sampling sampling;
  Shape picture;  // [1,H,W,C]
  StateMemory state;
  Storage storage;
};

}  // namespace duel
