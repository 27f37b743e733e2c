#include "tools/verbs/classification_json.h"

#include <nlohmann/json.hpp>

#include <cstddef>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Calibration& calibration) {
  Json bins = Json::array();
  for (const Calibration::Bin& bin : calibration.bins) {
    const double rows = static_cast<double>(bin.rows);
    bins.push_back({{"rows", bin.rows},
                    {"accuracy", bin.rows == 0 ? Json() : Json(static_cast<double>(bin.right) / rows)},
                    {"confidence", bin.rows == 0 ? Json() : Json(bin.confidence / rows)}});
  }
  return {{"expected_error", calibration.expected_error()},
          {"greatest_error", calibration.greatest_error()},
          {"confidence", calibration.confidence()},
          {"bins", bins}};
}

void add_classes(const Judged& judged, Json& object) {
  const Confusion& confusion = *judged.confusion;
  Json accuracies = Json::array(), by_class = Json::array();
  for (std::size_t label = 0; label < confusion.names.size(); ++label) {
    accuracies.push_back(confusion.accuracy_of(label));
    by_class.push_back({{"class", confusion.names[label]},
                        {"rows", confusion.rows_of(label)},
                        {"precision", confusion.precision_of(label)},
                        {"recall", confusion.accuracy_of(label)},
                        {"f1", confusion.f1_of(label)}});
  }
  object["accuracy"] = confusion.accuracy();
  object["accuracy_by_class"] = accuracies;
  object["by_class"] = by_class;
  object["confusion"] = confusion.counts;
  object["calibration"] = to_json(*judged.calibration);
  object["left_out"] = judged.left_out;
}

void add_tags(const Judged& judged, Json& object) {
  Json tags = Json::array();
  for (const TagScore& tag : judged.tags->tags) {
    Json row = {{"tag", tag.name}, {"known", tag.known}, {"has", tag.has}};
    const auto add = [&](const char* name, double value) { row[name] = tag.is_measured() ? Json(value) : Json(); };
    add("average_precision", tag.average_precision);
    add("precision", tag.precision);
    add("recall", tag.recall);
    add("f1", tag.f1);
    tags.push_back(row);
  }
  object["mean_average_precision"] = judged.tags->mean_average_precision();
  object["mean_f1"] = judged.tags->mean_f1();
  object["by_tag"] = tags;
  object["unknown_tags"] = judged.unknown_tags;
  object["missing_tags"] = judged.missing_tags;
}

void add_pictures(const Classified& classified, Json& object) {
  object["pictures"] = Json::array();
  for (const CalledPicture& picture : classified.pictures) {
    Json row = {{"file", picture.file}};
    if (!classified.is_of_tags) {
      row["class"] = classified.classes[picture.label];
      row["probability"] = picture.probability();
    }
    row["probabilities"] = picture.probabilities;
    object["pictures"].push_back(row);
  }
  object["unread"] = Json::array();
  for (const SkippedFile& file : classified.unread) {
    object["unread"].push_back({{"file", file.file}, {"reason", file.reason}});
  }
}

}  // namespace

std::string classification_json(const Classified& classified) {
  Json object = {{"step", classified.step},
                 {classified.is_of_tags ? "tags" : "classes", classified.classes},
                 {"extractor", {{"weights", classified.weights}, {"features", classified.features}}}};
  if (classified.judged) {
    object["rows"] = classified.judged->rows;
    classified.is_of_tags ? add_tags(*classified.judged, object) : add_classes(*classified.judged, object);
  } else {
    add_pictures(classified, object);
  }
  // Names of files need not be UTF-8; what is not becomes U+FFFD.
  return object.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace duel
