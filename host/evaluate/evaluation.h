// What `duel evaluate` finds: figures of generated pictures, each beside its floor, the same figure of real pictures in
// their place (folds.h), and what one has to know to compare them with others.
#pragma once

#include "host/evaluate/extractor.h"
#include "host/evaluate/memorisation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace duel {

// Which figures are better.
inline constexpr const char* kLower = "lower";
inline constexpr const char* kHigher = "higher";
inline constexpr const char* kNear = "near the floor";

struct Figure {
  std::string key, name;                      // "frechet_distance"; for people
  std::string better;                         // kLower, kHigher, kNear
  std::optional<double> value, value_spread;  // no value: `remark` says why
  std::optional<double> floor, floor_spread;
  std::string remark;  // how it was made, or what is wrong with it
};

struct ClassFigures {
  std::string name;
  std::int64_t generated = 0, reference = 0;         // pictures
  std::optional<double> frechet, frechet_floor;      // none of too few pictures
  std::optional<double> agreement, agreement_floor;  // share that the extractor calls so
  std::optional<double> spread;                      // of the pixels, over the reference's
};

struct Evaluation {
  std::string subject;    // "runs/first, step 4181, seed 0", "folder pictures"
  std::string generated;  // how the pictures were drawn
  std::string data, picture, fold, reference, floor;
  std::int64_t count = 0;  // pictures of each of the three
  ExtractorFacts extractor;
  std::vector<Figure> figures;
  std::vector<ClassFigures> classes;
  std::optional<std::int64_t> class_needs;  // pictures of a class that its Frechet distance needs, where some have less
  std::optional<Memorisation> memorisation, memorisation_by_features;
  std::string sheet;  // file of their closest pairs, where one was written
  std::vector<std::string> notes;
  double seconds = 0;  // of all
};

// As a person reads it: tables, lines.
std::string to_text(const Evaluation& evaluation);

}  // namespace duel
