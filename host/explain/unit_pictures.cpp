#include "host/explain/unit_pictures.h"

#include "host/explain/heat_map.h"
#include "host/explain/picture_maps.h"
#include "host/explain/unit_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace duel {

namespace {

constexpr std::size_t kRows = 24, kPictures = 8;
constexpr int kSide = 84;  // of a picture on the sheet, about

}  // namespace

UnitPictures::UnitPictures(Context& context, const SamplingModel& model, Parameters::Block block)
    : picture_(model.sampling.inputs.at(0).shape), views_(context, model, block) {}

void UnitPictures::add(Context& context, std::span<const std::uint8_t> pixels, std::span<const Question> asked) {
  views_.add(context, {in_range(pixels), asked});
  pixels_.insert(pixels_.end(), pixels.begin(), pixels.end());
  asked_.insert(asked_.end(), asked.begin(), asked.end());
}

std::vector<Unit> UnitPictures::units() const {
  return views_.units(kPictures);
}

Picture UnitPictures::draw(Context& context, const std::vector<Unit>& units) {
  std::vector<const Unit*> order;
  for (const Unit& unit : units) {
    order.push_back(&unit);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Unit* a, const Unit* b) { return std::abs(a->effect) > std::abs(b->effect); });
  order.resize(std::min(order.size(), kRows));
  std::vector<UnitRow> rows;
  for (const Unit* unit : order) {
    rows.push_back({unit->channel, unit->effect, unit->activation, strongest_of(context, *unit)});
  }
  return draw_units(
      fmt::format("The {} of {} channels of the last map that change the logit most", rows.size(), units.size()),
      fmt::format("adds: what the logit has by it, the mean over {} pictures; behind: where it answers most",
                  asked_.size()),
      rows);
}

std::vector<Picture> UnitPictures::strongest_of(Context& context, const Unit& unit) {
  const auto size = static_cast<std::size_t>(picture_.count());
  std::vector<float> values;
  std::vector<Question> asked;
  for (const Unit::Answering& each : unit.strongest) {
    const auto place = static_cast<std::size_t>(each.picture);
    const std::vector<float> its = in_range(std::span(pixels_).subspan(place * size, size));
    values.insert(values.end(), its.begin(), its.end());
    asked.push_back(asked_[place]);
  }
  const std::vector<float> channel = views_.channel_of(context, {values, asked}, unit.channel);
  const Shape& map = views_.map();
  const std::size_t places = channel.size() / asked.size();
  const double full = full_strength(channel);
  const int factor = std::max(1, kSide / std::max(picture_[1], picture_[2]));
  std::vector<Picture> drawn;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::vector<float> its =
        enlarged_map(std::span(channel).subspan(i * places, places), map[1], map[2], picture_[1], picture_[2]);
    drawn.push_back(enlarged(
        heat_over(its, HeatColours::strength, full, std::span(values).subspan(i * size, size), picture_), factor));
  }
  return drawn;
}

}  // namespace duel
