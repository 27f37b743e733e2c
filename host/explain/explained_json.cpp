#include "host/explain/explained.h"

#include <nlohmann/json.hpp>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json picture_json(const Explained& explained, const ExplainedPicture& picture) {
  Json json = {{"file", picture.file},
               {"sheet", picture.sheet},
               {"explained", explained.name_of(picture.asked)},
               {"logit", picture.logit}};
  if (!picture.probabilities.empty()) {
    json["probability"] = picture.probabilities[static_cast<std::size_t>(picture.asked)];
    Json all;
    for (std::size_t i = 0; i < picture.probabilities.size(); ++i) {
      all[explained.names[i]] = picture.probabilities[i];
    }
    json["probabilities"] = all;
  }
  Json maps;
  for (const MapFigures& map : picture.maps) {
    maps[key_of(map.method)] = {{"full", map.full}, {"top_tenth", map.top_tenth}, {"x", map.x}, {"y", map.y}};
  }
  json["maps"] = maps;
  if (picture.completeness) {
    json["completeness"] = {{"sum", picture.completeness->sum},
                            {"difference", picture.completeness->difference},
                            {"gap", number_or_null(picture.completeness->gap())}};
  }
  return json;
}

Json unit_json(const Explained& explained, const Unit& unit) {
  Json strongest = Json::array();
  for (const Unit::Answering& each : unit.strongest) {
    strongest.push_back({{"file", explained.pictures[static_cast<std::size_t>(each.picture)].file},
                         {"activation", each.activation},
                         {"effect", each.effect}});
  }
  return {
      {"channel", unit.channel}, {"activation", unit.activation}, {"effect", unit.effect}, {"strongest", strongest}};
}

const char* key_of(Baseline baseline) {
  return baseline == Baseline::black ? "black" : (baseline == Baseline::grey ? "grey" : "blurred");
}

}  // namespace

std::string to_json(const Explained& explained) {
  Json json = {{"run", explained.run},
               {"network", explained.network},
               {"step", explained.step},
               {"weights", explained.weights},
               {"map", explained.map}};
  if (!explained.told.empty()) {
    json["told"] = explained.told;
  }
  json["samples"] = explained.smoothing.samples;
  json["sigma"] = explained.smoothing.sigma;
  json["seed"] = explained.smoothing.seed;
  json["points"] = explained.integration.points;
  json["baseline"] = key_of(explained.integration.baseline);
  json["pictures"] = Json::array();
  for (const ExplainedPicture& picture : explained.pictures) {
    json["pictures"].push_back(picture_json(explained, picture));
  }
  if (!explained.units.empty()) {
    json["units"] = Json::array();
    for (const Unit& unit : explained.units) {
      json["units"].push_back(unit_json(explained, unit));
    }
  }
  if (!explained.tested.empty()) {
    Json maps;
    for (const Explained::Tested& each : explained.tested) {
      maps[each.map] = {{"deletion_area", each.curves.deletion_area},
                        {"insertion_area", each.curves.insertion_area},
                        {"shares", each.curves.shares},
                        {"deletion", each.curves.deletion},
                        {"insertion", each.curves.insertion}};
    }
    json["curves"] = {{"of", explained.tested_on}, {"maps", maps}};
  }
  json["unread"] = Json::array();
  for (const SkippedFile& file : explained.unread) {
    json["unread"].push_back({{"file", file.file}, {"reason", file.reason}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace duel
