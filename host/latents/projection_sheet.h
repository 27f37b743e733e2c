// What a person looks at of projected pictures.
#pragma once

#include "host/latents/latent_run.h"
#include "host/latents/projection.h"
#include "host/latents/projection_targets.h"
#include "host/latents/training_neighbours.h"
#include "host/pictures/png.h"

#include <optional>
#include <span>
#include <vector>

namespace duel {

// A projected picture with all that its sheet shows beside the figures.
struct ProjectionSheet {
  const ProjectedPicture& projected;
  const ProjectionTarget& target;
  std::vector<Picture> starts;             // in the order of projected.starts
  std::vector<TrainingNeighbour> nearest;  // or none
  std::optional<Picture> mean;             // of the training pictures
  std::vector<float> latent, classes;      // the best start's
};

// The picture, what was found, the other starts, training pictures that are near, and edits: the latent on its way to
// the mean of all, and with the other classes.
Picture projection_sheet(LatentRun& run, const ProjectionSheet& sheet);

// Several in short, a row each.
Picture projection_overview(const std::vector<ProjectionSheet>& sheets, const std::string& title);

}  // namespace duel
