#include "engine/models/place_projector.h"

#include "engine/nn/patch_contrast.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

namespace duel {

PlaceProjector::PlaceProjector(Parameters& parameters, const PlaceProjectorConfig& config) {
  const LayerForm bent{{ActivationKind::relu}, small_and_normal}, straight{{}, small_and_normal};
  for (std::size_t i = 0; i < config.channels.size(); ++i) {
    const std::string name = fmt::format("map{}", i + 1);
    maps_.push_back({Dense(parameters, name + "/first", config.channels[i], config.width, bent),
                     Dense(parameters, name + "/second", config.width, config.width, straight)});
  }
}

std::vector<Value> PlaceProjector::operator()(Program& program, const BoundParameters& weights,
                                              std::span<const Value> rows) const {
  const Program::Scope scope(program, "projector");
  check(rows.size() == maps_.size(), "place_projector: rows of {} maps, where it is made for {}", rows.size(),
        maps_.size());
  std::vector<Value> projected;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Value hidden = maps_[i].first(program, weights, rows[i], program.dtype(rows[i]));
    projected.push_back(of_unit_length(program, maps_[i].second(program, weights, hidden, DType::f32)));
  }
  return projected;
}

}  // namespace duel
