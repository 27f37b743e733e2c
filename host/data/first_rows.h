// The rows that sheets show of a field.
#pragma once

#include "host/data/source.h"

#include <cstddef>
#include <vector>

namespace duel {

// `count` rows of a field, as stored, one behind the other; from the first on again where there are fewer.
std::vector<std::byte> first_rows(const Source& source, const Field& field, int count);

}  // namespace duel
