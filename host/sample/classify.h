// The classes that a trained classifier gives to pictures in files, or to the rows that its data keep out of training.
#pragma once

#include "host/config/device_request.h"
#include "host/data/confusion.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ClassifyRequest {
  std::string run;
  std::vector<std::string> files;    // PNG, or IDX files of pictures, plain or gzip
  bool held_out = false;             // instead of files
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  DeviceRequest where;
};

struct CalledPicture {
  std::string file;       // of a picture of an IDX file "FILE#ROW", rows from 0
  std::size_t label = 0;  // the place among the classes
  float probability = 0;
};

struct Classified {
  std::int64_t step = 0;  // of the checkpoint
  std::vector<std::string> classes;
  std::vector<CalledPicture> pictures;  // of the files, in order
  std::optional<Confusion> confusion;   // of what is held out
};

// Throws kind `usage` for the run of another recipe, and `data` for a run or a file that cannot be read, for pictures
// of another size or other channels than the network's, and where nothing is held out.
Classified classify(const ClassifyRequest& request);

}  // namespace duel
