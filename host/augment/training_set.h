// Generated pictures by class, as a training set that says where it comes from.
//
//   OUT/bag/seed_0000000008.png    each class a folder; `duel generate --class bag --seeds 8` draws the same picture
//   OUT/labels.csv                 file,label: the classes' own names, where a folder cannot be called so
//   OUT/provenance.json            generator, step, checksum of the weights, seeds, counts
//
// In each PNG stand texts: Software, AI-generated, Preset, Step, Weights, Seed, Class. The folder appears whole
// or not at all.
#pragma once

#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct TrainingSetRequest {
  std::string run, out;
  // How many: one of the two.
  int per_class = 0;
  bool fill = false;                 // of each class as many as its real training pictures lack to the largest one's
  std::string data;                  // the real pictures, for `fill`; "": what the run was trained on
  bool clear = false;                // replace such a set in `out`
  std::uint64_t seed = 0;            // the first; each picture has its own
  std::optional<std::int64_t> step;  // of the run's checkpoint; the latest where there is none
  DeviceRequest where;
  std::string version;                                               // of this program
  std::function<void(const DecodeProgress&)> progress = {};          // while photographs are decoded
  std::function<void(std::int64_t, std::int64_t)> on_pictures = {};  // pictures drawn, and all
};

struct TrainingSet {
  struct Class {
    std::string name, folder;
    std::int64_t pictures = 0;
    std::optional<std::int64_t> real;  // training pictures of the data; with `fill` alone
  };
  std::vector<Class> classes;
  std::int64_t pictures = 0, step = 0;
  std::string weights;
};

// None where a signal came; then nothing is left behind. Throws kind `usage` for a request that cannot be meant, for a
// run without classes, and where the folder holds files that are not replaced; kind `data` for what cannot be read or
// written.
std::optional<TrainingSet> make_training_set(const TrainingSetRequest& request);

// For each class a name that a folder can have: slashes and what cannot be printed become "-", a dot in front "_", and
// of names that then are alike (upper or lower case) later ones get a number behind.
std::vector<std::string> class_folders(const std::vector<std::string>& classes);

// For each class what it lacks to the largest one.
std::vector<std::int64_t> filling_counts(const std::vector<std::int64_t>& counts);

}  // namespace duel
