// Which pictures a request is for.
#pragma once

#include "host/pictures/sample_grid.h"
#include "host/sample/generate_request.h"
#include "host/sample/latent_file.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace duel {

struct WantedPictures {
  std::optional<SheetShape> grid;
  std::vector<std::uint64_t> seeds;  // of a list, or the places that a way leads past; else empty
  bool is_way = false;
  std::optional<SavedLatents> latents;  // of a file
  int count = 0;
};

// Throws kind `usage` where the request cannot be meant, kind `data` where a file of latents cannot be read.
WantedPictures wanted_pictures(const GenerateRequest& request);

}  // namespace duel
