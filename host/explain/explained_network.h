// The network of a run that is asked for reasons, loaded, and what its logits mean.
#pragma once

#include "host/config/options.h"
#include "host/explain/explained.h"
#include "host/sample/loaded_sampling.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct ExplainedNetwork {
  std::unique_ptr<LoadedSampling> loaded;  // from pictures in f32 to logits
  Parameters::Block block = Parameters::Block::average;
  Options options;  // of the run; threads as the request has them
  std::string name, weights;
  std::int64_t step = 0;
  std::vector<std::string> names;       // of the logits: classes or tags; none of a discriminator
  std::vector<std::string> told_names;  // of the classes that a discriminator is told
  std::optional<int> asked;             // the class that was named: a logit's, or the one to tell

  bool is_of_judge() const { return names.empty(); }
  bool is_of_tags() const { return options.data.target == "attributes"; }
  std::string told() const { return told_names.empty() ? "" : told_names[static_cast<std::size_t>(*asked)]; }
  // Of a row's logits: a softmax of classes, a sigmoid of tags, nothing of a discriminator.
  std::vector<double> probabilities(std::span<const float> logits) const;
};

// Throws kind `usage` where the run has no network that answers, or not the one that is asked for, or where the class
// is missing, unknown or meaningless; `data` for a run that cannot be read.
ExplainedNetwork load_explained(const ExplainRequest& request, Context& context);

}  // namespace duel
