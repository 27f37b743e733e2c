// What a recipe asks of its sources.
#pragma once

#include "host/recipes/recipe.h"

#include <string>
#include <string_view>

namespace duel {

// Throws kind `usage` where there is none, naming the recipe that needs it and what the source has.
const Field& field_of(const Fields& fields, const std::string& source, std::string_view field, std::string_view recipe);

}  // namespace duel
