// A run whose generator draws pictures from latents, opened to look for latents, and for ways between them.
#pragma once

#include "host/config/device_request.h"
#include "host/config/options.h"
#include "host/pictures/png.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/context.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct LatentRunRequest {
  std::string run;
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the weights as trained instead of their moving average
  DeviceRequest where;
};

class LatentRun {
public:
  // Throws kind `usage` for the run of a recipe that draws no pictures from latents, kind `data` for one that cannot be
  // read, and kind `device` where there is too little memory.
  explicit LatentRun(const LatentRunRequest& request);

  Context& context() { return context_; }
  SamplingModel model() const { return loaded_->model(); }
  Parameters::Block block() const { return block_; }
  const std::string& name() const { return request_.run; }
  const Options& options() const { return options_; }
  std::int64_t step() const { return step_; }
  const std::string& weights() const { return weights_; }  // weights_hash.h
  const Shape& picture() const { return loaded_->picture; }
  int latent() const { return latent_; }                                    // numbers of a latent
  const std::vector<std::string>& classes() const { return class_names_; }  // none where the run knows none
  int threads() const;

  // Pictures of latents [n,latent] and of shares of classes [n,classes], or none.
  std::vector<Picture> draw(std::span<const float> latents, std::span<const float> classes);
  // Latents of pictures 0 to count - 1 of a seed, as `duel generate` draws them: [count,latent].
  std::vector<float> sampled(std::uint64_t seed, int count);

  // Of a recipe with an encoder: the latents that it expects the pictures to come from, [n,latent].
  bool has_encoder() const;
  std::vector<float> encoded(std::span<const Picture> pictures);

private:
  LatentRunRequest request_;
  Context context_;
  std::optional<LoadedSampling> loaded_;
  Options options_;
  std::int64_t step_ = 0;
  std::string weights_;
  Parameters::Block block_;
  int latent_ = 0;
  std::vector<std::string> class_names_;
  std::optional<RowSampler> sampler_;
};

// A picture as networks make it, -1..1, to bytes.
std::vector<Picture> to_pictures(std::span<const float> values, const Shape& picture);

}  // namespace duel
