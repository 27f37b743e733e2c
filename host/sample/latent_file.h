// Latents in a file, so that what was found can be drawn again: safetensors with a tensor "latents" f32 [n,latent] and,
// of a run by class, "classes" f32 [n,K], the share of each class. Metadata: "classes", a JSON list of their names,
// "names", one of what each row is called, and what else the writer says.
#pragma once

#include "host/files/safetensors.h"

#include <filesystem>
#include <string>
#include <vector>

namespace duel {

struct SavedLatents {
  int width = 0;                     // numbers of a latent
  std::vector<float> latents;        // [n,width]
  std::vector<std::string> classes;  // none where the run knows none
  std::vector<float> shares;         // [n,classes]
  std::vector<std::string> names;    // [n], or none

  int count() const { return width == 0 ? 0 : static_cast<int>(std::ssize(latents) / width); }
};

// Errors are of kind `data` and begin with the path.
void write_latents(const std::filesystem::path& file, const SavedLatents& saved, TensorMetadata metadata);
SavedLatents read_latents(const std::filesystem::path& file);  // of a file without metadata there are no names

}  // namespace duel
