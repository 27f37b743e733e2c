// Sets as tools/make_tryon.py makes them, of squares on grounds that are worn some pixels further right and down.
#pragma once

#include <filesystem>

namespace duel::test {

inline constexpr int kTryonSide = 32, kTryonRight = 4, kTryonDown = 2;

// So many rows in SET/train, 0.png and so on, and in SET/test, from 20.png on.
void draw_tryon_set(const std::filesystem::path& set, int train_rows, int test_rows);

}  // namespace duel::test
