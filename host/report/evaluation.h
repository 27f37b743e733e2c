// evaluation.json of a run: figures of merit, whoever wrote them. Nothing is asked of its form but that the figures are
// objects with a name and a value, in lists anywhere in it; members that are single texts or numbers describe them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace duel {

struct ReadFigure {
  std::string group;  // name of the list it stands in
  std::string name;
  std::optional<double> value;  // a number; none where it could not be measured
  std::optional<double> floor;  // the same of real pictures against real ones
  std::string note;
};

struct ReadEvaluation {
  std::vector<ReadFigure> figures;
  std::vector<std::pair<std::string, std::string>> facts;             // such as counts, or the extractor
  std::vector<std::pair<std::string, std::filesystem::path>> sheets;  // PNG files that it names, by what names them
};

// Throws kind `data`, beginning with the path, where the text is no JSON. `file`: pictures are named from its folder.
ReadEvaluation parse_evaluation(std::string_view text, const std::filesystem::path& file);

}  // namespace duel
