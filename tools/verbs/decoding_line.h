// How far the decoding of photographs is, for a person at a terminal.
#pragma once

#include "host/data/decode_photographs.h"

#include <functional>

namespace duel {

// Rewrites one line of standard error, at most ten times a second, and clears it in the end: with a bar, and how long
// it will take. Nothing where that is no terminal.
std::function<void(const DecodeProgress&)> show_decoding();

}  // namespace duel
