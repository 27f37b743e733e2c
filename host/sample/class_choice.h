// Which classes pictures are drawn of, as a person says it or as a sheet shows them.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace duel {

// What `duel generate` was told; at most one of the two.
struct ClassRequest {
  std::vector<std::string> names;  // each a class, or several with commas between them
  std::string mix;                 // "sneaker:0.5,ankle boot:0.5"
};

// The shares of all classes, [K], that pictures take in turn: one row for each class that was named, one for the mix,
// or where nothing was asked for, one for each class. Upper and lower case are alike. `run` names the run in errors, of
// kind `usage`: there are no classes, or not that one (the nearest is named), one comes twice, shares that are no
// numbers from 0 to 1 or do not make 1 together.
std::vector<std::vector<float>> class_shares(const ClassRequest& request, const std::vector<std::string>& classes,
                                             const std::string& run);

// Of a sheet's pictures, row by row: row r is of class r mod `classes`.
std::vector<int> classes_by_row(int rows, int columns, int classes);

// [count,classes]: 1 at each picture's class, else 0.
std::vector<float> one_hot(std::span<const int> chosen, int classes);

}  // namespace duel
