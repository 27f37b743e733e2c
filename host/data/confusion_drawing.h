// The table of confusions as a drawing for people: rows are the classes, columns what is called, and a place is the
// darker the greater its share of its row; with the recall behind each row and the precision below each column.
#pragma once

#include "host/data/confusion.h"

#include <string>

namespace duel {

// SVG. `title` says what was judged: "clothing: 372 pictures by step 3440".
std::string draw_confusion(const Confusion& confusion, const std::string& title);

}  // namespace duel
