// The pictures that are to be found: files that a person names, brought to the run's form, and rows of its own data.
#pragma once

#include "host/data/source.h"
#include "host/latents/latent_run.h"
#include "host/latents/projection.h"
#include "host/pictures/png.h"

#include <memory>
#include <string>
#include <vector>

namespace duel {

struct ProjectionTarget {
  std::string name, file, fold;  // as in ProjectedPicture
  int label = -1;                // of the run's classes, where it is known
  Picture picture;
};

// The run's own data, as far as they can be read.
struct RunData {
  Data data;  // nothing where it could not be
  std::unique_ptr<const Source> held_out;
  std::string fault;  // why not

  const Source* training() const { return data.empty() ? nullptr : &main_source(data); }
};
RunData open_run_data(const LatentRun& run, const ProjectionRequest& request);

// Files that cannot be read go to `unread`. Throws kind `usage` for more than kMostProjected pictures and for rows that
// the data do not have, kind `data` where nothing can be read.
std::vector<ProjectionTarget> projection_targets(const LatentRun& run, const RunData& data,
                                                 const ProjectionRequest& request, std::vector<SkippedFile>& unread);

}  // namespace duel
