// The classes or tags that a trained classifier gives to pictures in files, and how well it tells those of rows with
// labels: that its data keep out of training, or of another folder.
#pragma once

#include "host/config/device_request.h"
#include "host/data/calibration.h"
#include "host/data/confusion.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"
#include "host/data/tag_scores.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ClassifyRequest {
  std::string run;
  std::vector<std::string> files;    // pictures, and folders of them: picture_files.h
  bool held_out = false;             // instead of files
  std::string data;                  // instead of files: a data set with labels, as `duel train` takes it
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};  // of photographs that were not decoded yet
};

struct CalledPicture {
  std::string file;                  // of a picture of an IDX file "FILE#ROW", rows from 0
  std::vector<float> probabilities;  // of each class or tag
  std::size_t label = 0;             // the place of the most probable

  float probability() const { return probabilities[label]; }
};

// Of rows whose classes or tags are known.
struct Judged {
  std::string rows;  // which: "296 pictures held out of shop"
  std::optional<Confusion> confusion;
  std::optional<Calibration> calibration;
  std::optional<TagScores> tags;
  // Of another data set: rows of classes that the network does not know, by their names, which are not judged; its
  // attributes that the network does not tell, and the network's that it does not have.
  std::map<std::string, std::int64_t> left_out;
  std::vector<std::string> unknown_tags, missing_tags;
};

struct Classified {
  std::int64_t step = 0;  // of the checkpoint
  bool is_of_tags = false;
  std::vector<std::string> classes;     // or tags
  std::string weights;                  // weights_hash.h
  int features = 0;                     // numbers that the last layer tells classes by
  std::vector<CalledPicture> pictures;  // of the files, in order
  std::vector<SkippedFile> unread;      // files among them that cannot be read
  std::optional<Judged> judged;
};

// Throws kind `usage` for the run of another recipe, and `data` for a run that cannot be read, where none of the files
// can, and where there are no rows to judge by.
Classified classify(const ClassifyRequest& request);

}  // namespace duel
