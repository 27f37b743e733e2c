// What a generator's first layer makes of a latent: the matrix that it multiplies by, and the features behind its
// activation. The layer is found in the recorded program: it is the first products that the latent goes into, as it is
// or beside a class's row; its matrix is read off by what it makes of the unit vectors, so that whatever prepares the
// weights (a spectral norm, a scale) is in it.
#pragma once

#include "engine/program/execution.h"
#include "host/sample/sampler.h"
#include "kernels/memory.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

class FirstLayer {
public:
  // What the model consists of outlives this. Throws kind `usage` where the latent goes through something else than a
  // product first.
  FirstLayer(Context& context, const SamplingModel& model, Parameters::Block block);

  int latent() const { return latent_; }
  const std::string& place() const { return place_; }  // "generator/dense1"

  struct Matrix {
    std::int64_t outputs = 0;
    std::vector<double> values;  // [latent,outputs]
  };
  Matrix matrix();

  struct Rows {
    std::int64_t width = 0;
    std::vector<float> values;  // [n,width]
  };
  // Of latents [n,latent] and shares of classes [n,classes], or none.
  Rows features(std::span<const float> latents, std::span<const float> classes);

private:
  Execution make_execution(const SamplingModel& model, Parameters::Block block);
  Rows run(std::span<const float> latents, std::span<const float> classes, const std::vector<Value>& outputs);

  Context& context_;
  int latent_ = 0, classes_ = 0;
  std::string place_;
  std::vector<Value> products_, features_;
  Execution execution_;
  Buffer arena_, latents_, class_shares_;
};

}  // namespace duel
