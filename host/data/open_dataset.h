// Where rows come from: a folder of photographs, IDX files (plain or gzip), or a synthetic set.
#pragma once

#include "host/config/options.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"
#include "host/data/source.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace duel {

// "fashion-mnist": the folder in $DUEL_FASHION_MNIST where that is set; else /usr/share/datasets/fashion-mnist, else
//     $HOME/.cache/duel/fashion-mnist.
// "synthetic": drawn, with the extents in `options`; see host/data/synthetic.h.
// Anything else is a folder. One with train/person and train/garment is a try-on set: tryon_source.h. One with
// train-images-idx3-ubyte (also with .gz and so on, see below) is of IDX files.
// Else,
//     if it holds pictures or a table labels.csv, it is of photographs, which are decoded to the size and form that the
//     options ask for: scan_photographs.h, decode_photographs.h, photograph_source.h. Else it is of IDX files again.
// Of IDX files the pictures are train-images-idx3-ubyte, also idx4, with .idx3 and with
//     .gz; without one of these the only file with "images" in its name, or the only one of those with "train". The
//     labels have the same name with "labels" and idx1, and may be missing; a file classes.txt beside them names their
//     classes (class_names.h), which without it are called by their numbers.
// The result is one source, "main", with a field "picture" and, where there are labels, "label"; of photographs also
// "attributes", where their table has some. Where options.degrade or options.pairs say what pictures are to be made of,
// it has a further picture, "input": degraded_source.h, paired_source.h. Where options.into names a second set, its
// rows are a second source, "into", without "input".
// Errors are of kind `data`, and name the folder or the file; a size that is asked of anything but photographs and is
// not theirs is one of kind `usage`.
struct Opening {                                             // of photographs that were not decoded yet
  int threads = 0;                                           // 0: as default_threads.h has it
  std::function<void(const DecodeProgress&)> progress = {};  // what it throws ends the opening
};
Data open_dataset(const Options::Data& options, const Opening& opening = {});

// The options with which the rows of "into" are opened alone, as "main".
Options::Data into_options(const Options::Data& options);

// The files that open_dataset reads where `source` is a folder of photographs; nothing where it is anything else, or
// nothing at all. Errors as scan_photographs.h says.
std::optional<PhotographFolder> photographs_of(const std::string& source);

// Whether the rows of `source` are photographs as people keep them, also where its folder is gone by now: then it is
// believed to have been one, unless it is the name of a set.
bool is_of_photographs(const std::string& source);

// Rows that are kept out of training, with the classes of the data set's "main", which `training` is; none where there
// are no such. Of IDX files the split whose names begin with t10k in place of train; of the synthetic set the pictures
// behind its last, an eighth as many; of photographs the share that photograph_source.h says.
std::unique_ptr<const Source> open_held_out(const Options::Data& options, const Source& training);

}  // namespace duel
