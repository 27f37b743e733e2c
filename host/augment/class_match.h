// The data that a generator by class is held against: opened as it was trained, or another source of the same classes.
#pragma once

#include "host/augment/class_generator.h"
#include "host/config/options.h"
#include "host/data/source.h"

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

// The run's options, with another data.source where `source` is not "".
Options options_of_data(const ClassGenerator& generator, const std::string& source);

// For each of the data's classes the run's number of it. Throws kind `usage`, naming what differs, where the data have
// no labels, or where the two do not have the same classes.
std::vector<std::size_t> numbers_of_classes(const Source& data, const std::vector<std::string>& of_run,
                                            const std::string& run);

}  // namespace duel
