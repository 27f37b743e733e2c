// Pictures that the generator of a run draws, each of a class that is given where the run knows classes. Nothing is
// kept: they are drawn in batches when they are read, always the same.
#pragma once

#include "engine/nn/parameters.h"
#include "host/evaluate/picture_set.h"
#include "host/sample/sampler.h"
#include "kernels/context.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

class GeneratedPictures : public PictureSet {
public:
  // Picture i is of class labels[i] of `classes`, the data's; of a run that knows classes and data that have none, the
  // labels are -1 and its classes come in turn. `picture` is [1,H,W,C], `name` the run's. Throws kind `usage` where the
  // run knows classes and lacks one of these. The context and what the model consists of outlive it.
  GeneratedPictures(Context& context, const SamplingModel& model, const Shape& picture, Parameters::Block block,
                    std::uint64_t seed, std::vector<int> labels, const std::vector<std::string>& classes,
                    const std::string& name);

  std::int64_t count() const override { return std::ssize(labels_); }
  void read(std::int64_t first, std::int64_t count, std::span<std::uint8_t> to) override;
  // -1 where the run knows no classes: then a picture is of none.
  int label(std::int64_t i) const override { return of_run_.empty() ? -1 : labels_[static_cast<std::size_t>(i)]; }
  bool is_by_class() const { return !of_run_.empty(); }

private:
  Context& context_;
  Sampler sampler_;
  Shape picture_;
  std::vector<int> labels_;
  std::vector<int> of_run_;  // the run's number of each picture's class; empty where it knows none
  int run_classes_ = 0;
};

}  // namespace duel
