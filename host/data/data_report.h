// What a person should know of a data set before training on it.
#pragma once

#include "host/data/photograph_folder.h"
#include "host/data/source.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace duel {

struct DataReport {
  struct Class {
    std::string name;
    std::int64_t training = 0, held_out = 0;
  };
  struct Extent {
    int width = 0, height = 0;
  };
  // Of the files behind the rows; a data set that is no folder of photographs has none.
  struct Files {
    std::vector<SkippedFile> skipped;
    std::map<std::string, std::int64_t> others;   // no pictures, by their endings
    std::map<std::string, std::int64_t> formats;  // "JPEG"
    Extent smallest, median, largest;             // by their pixels
    std::int64_t landscape = 0, portrait = 0, square = 0;
    std::int64_t enlarged = 0;  // smaller than what they are brought to
    std::int64_t grey = 0, with_alpha = 0, animated = 0;
    double cut = 0;  // mean share of a picture that is cut off
    // Groups of at least two; of near ones every neighbour looks alike, so that a group may drift. A file is in one
    // group of each kind at most; exact copies are in `near` by the first of them.
    std::vector<std::vector<std::string>> exact, near;
    std::vector<std::vector<std::string>> contradictory;  // of both, those of several classes
    std::vector<std::string> attributes;
    std::vector<std::string> notes;
    std::string cache, cache_note;
  };

  std::string name;
  std::int64_t training = 0, held_out = 0;
  Shape picture;  // [1,H,W,C]
  std::vector<Class> classes;
  bool has_files = false;
  Files files;
  std::vector<std::string> advice;  // a sentence each
};

// Two pictures look alike where difference_hash() differs in at most 4 bits and their rows by at most so many of 255
// levels in the mean: the hash alone takes plain shapes on plain ground for one another.
inline constexpr double kNearLevels = 8;

// Below so many, the advice says that they are few: a generator repeats its pictures; a classifier learns them by
// heart. 1,000 is where trainers of GANs begin to advise against going on without augmentation.
inline constexpr std::int64_t kFewPictures = 1000, kFewOfAClass = 50;

// `held_out`: null where there is none. `recipe`: what is to be trained, as the key `recipe` has it.
DataReport report_data(const Source& training, const Source* held_out, const std::string& recipe);

std::vector<std::string> short_report(const DataReport& report);  // lines for before a training
std::string to_text(const DataReport& report);                    // all of it, for a terminal
std::string to_json(const DataReport& report);                    // the same for programs

}  // namespace duel
