#include "host/config/degradation.h"

#include "host/config/decimal.h"
#include "host/config/edit_distance.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <optional>

namespace duel {

namespace {

using Kind = DegradationKind;

struct Row {
  std::string_view word;
  Kind kind;
  double low = 0, high = 0;    // of its number; both 0 where it takes none
  bool is_whole = true;        // the number
  std::string_view form = "";  // as people write it
};

constexpr std::array<Row, 9> kRows = {{{"none", Kind::none, 0, 0, true, "none"},
                                       {"noise", Kind::noise, 0, 255, false, "noise:S or noise:S-S"},
                                       {"blur", Kind::blur, 0.1, 20, false, "blur:S"},
                                       {"motion", Kind::motion, 2, 101, true, "motion:N"},
                                       {"jpeg", Kind::jpeg, 1, 100, true, "jpeg:Q"},
                                       {"hole", Kind::hole, 1, 1024, true, "hole:N"},
                                       {"strokes", Kind::strokes, 0, 0, true, "strokes"},
                                       {"grey", Kind::grey, 0, 0, true, "grey"},
                                       {"edges", Kind::edges, 0, 0, true, "edges"}}};
constexpr std::string_view kAll =
    "none, x2, x4, noise:S or noise:S-S, blur:S, motion:N, jpeg:Q, hole:N, strokes, grey or edges";

[[noreturn]] void refuse_word(std::string_view text, std::string_view word) {
  std::string_view nearest = word.starts_with('x') ? "x2" : kRows[0].form;
  int least = word.starts_with('x') ? 2 : 1000;
  for (const Row& row : kRows) {
    if (const int distance = edit_distance(word, row.word); distance < least) {
      least = distance;
      nearest = row.form;
    }
  }
  throw_error(Error::Kind::usage, "data.degrade = \"{}\": there is no such degradation; the nearest is {}, of {}", text,
              nearest, kAll);
}

std::optional<double> number_of(std::string_view text, const Row& row) {
  const std::optional<double> number = decimal_real(text);
  const bool is_allowed = number && *number >= row.low && *number <= row.high &&
                          (!row.is_whole || *number == static_cast<double>(static_cast<int>(*number)));
  return is_allowed ? number : std::nullopt;
}

}  // namespace

Degradation degradation_of(std::string_view text) {
  if (text == "x2" || text == "x4") {
    const double factor = text == "x2" ? 2 : 4;
    return {Kind::smaller, factor, factor};
  }
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& each) { return each.word == word; });
  if (row == kRows.end()) {
    refuse_word(text, word);
  }
  if (row->high == 0) {
    if (colon != std::string_view::npos) {
      throw_error(Error::Kind::usage, "data.degrade = \"{}\": {} takes no number", text, word);
    }
    return {row->kind, 0, 0};
  }
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::size_t dash = row->kind == Kind::noise ? rest.find('-') : std::string_view::npos;
  const std::optional<double> from = number_of(rest.substr(0, dash), *row);
  const std::optional<double> to = dash == std::string_view::npos ? from : number_of(rest.substr(dash + 1), *row);
  if (!from || !to || *to < *from) {
    throw_error(Error::Kind::usage, "data.degrade = \"{}\": must be {} with {} from {} to {}{}", text, row->form,
                row->is_whole ? "an integer" : "a number", row->low, row->high,
                row->kind == Kind::noise ? ", the second not below the first" : "");
  }
  return {row->kind, *from, *to};
}

}  // namespace duel
