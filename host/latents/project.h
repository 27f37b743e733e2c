// Photographs found again in the latents of a generator: how near it comes to them, what is near beside that, and what
// becomes of them when the latent is changed.
#pragma once

#include "host/latents/projection.h"

#include <optional>

namespace duel {

// Writes into the folder NAME.png for each picture, all.png where there are several, and latents.safetensors with the
// best latent of each (latent_file.h). The folder appears whole or not at all. None where a signal came. Throws kind
// `usage` for a request that cannot be meant, kind `data` where the run or no picture can be read, or nothing can be
// written.
std::optional<Projection> project(const ProjectionRequest& request);

}  // namespace duel
