// Pictures that units were found on, kept so that a sheet can show those that each answers to most.
#pragma once

#include "host/explain/explained.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

class UnitPictures {
public:
  UnitPictures(Context& context, const SamplingModel& model, Parameters::Block block);

  // Pictures [N,H,W,C] as bytes, and what is asked about each.
  void add(Context& context, std::span<const std::uint8_t> pixels, std::span<const Question> asked);
  // Every channel with the pictures that it answers to most.
  std::vector<Unit> units() const;
  // The channels that change the logit most, each with these pictures and where on them it answers.
  Picture draw(Context& context, const std::vector<Unit>& units);

private:
  std::vector<Picture> strongest_of(Context& context, const Unit& unit);

  Shape picture_;
  UnitViews views_;
  std::vector<std::uint8_t> pixels_;
  std::vector<Question> asked_;
};

}  // namespace duel
