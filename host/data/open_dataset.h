// Where rows come from: IDX files (plain or gzip), or a synthetic set.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"

#include <memory>

namespace duel {

// "fashion-mnist": the folder in $DUEL_FASHION_MNIST where that is set; else /usr/share/datasets/fashion-mnist, else
//     $HOME/.cache/duel/fashion-mnist.
// "synthetic": drawn, with the extents in `options`; see host/data/synthetic.h.
// Anything else is a folder of IDX files. Its pictures are train-images-idx3-ubyte, also idx4, with .idx3 and with
//     .gz; without one of these the only file with "images" in its name, or the only one of those with "train". The
//     labels have the same name with "labels" and idx1, and may be missing; a file classes.txt beside them names their
//     classes (class_names.h), which without it are called by their numbers.
// The result is one source, "main", with a field "picture" and, where there are labels, "label".
// Errors are of kind `data`, and name the folder or the file.
Data open_dataset(const Options::Data& options);

// Rows that are kept out of training, with the classes of the data set's "main", which `training` is; none where there
// are no such. Of IDX files the split whose names begin with t10k in place of train; of the synthetic set the pictures
// behind its last, an eighth as many.
std::unique_ptr<const Source> open_held_out(const Options::Data& options, const Source& training);

}  // namespace duel
