// What `duel classify` found, for programs.
#pragma once

#include "host/sample/classify.h"

#include <string>

namespace duel {

std::string classification_json(const Classified& classified);

}  // namespace duel
