#include "host/config/degradation.h"

#include "host/config/decimal.h"
#include "host/config/edit_distance.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace duel {

namespace {

using Kind = DegradationKind;

struct Row {
  std::string_view word;
  Kind kind;
  double low = 0, high = 0;    // of its number; both 0 where it takes none
  bool is_whole = true;        // the number
  std::string_view form = "";  // as people write it
  bool has_range = false;      // from one number to another
  bool is_job = false;         // keeps size and colours, so that one network can learn it among others
};

constexpr std::array<Row, 9> kRows = {{{"none", Kind::none, 0, 0, true, "none"},
                                       {"noise", Kind::noise, 0, 255, false, "noise:S or noise:S-S", true, true},
                                       {"blur", Kind::blur, 0.1, 20, false, "blur:S or blur:S-S", true, true},
                                       {"motion", Kind::motion, 2, 101, true, "motion:N or motion:N-N", true, true},
                                       {"jpeg", Kind::jpeg, 1, 100, true, "jpeg:Q or jpeg:Q-Q", true, true},
                                       {"hole", Kind::hole, 1, 1024, true, "hole:N", false, true},
                                       {"strokes", Kind::strokes, 0, 0, true, "strokes", false, true},
                                       {"grey", Kind::grey, 0, 0, true, "grey"},
                                       {"edges", Kind::edges, 0, 0, true, "edges"}}};
constexpr std::string_view kAll =
    "none, x2, x4, noise:S, blur:S, motion:N, jpeg:Q (or ranges, such as noise:0-50), hole:N, strokes, grey, edges, "
    "several with commas between, or all";

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

Degradation one_of(std::string_view text) {
  if (text == "x2" || text == "x4") {
    const double factor = text == "x2" ? 2 : 4;
    return {Kind::smaller, factor, factor, ""};
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
    return {row->kind, 0, 0, std::string(word)};
  }
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::size_t dash = row->has_range ? rest.find('-') : std::string_view::npos;
  const std::optional<double> from = number_of(rest.substr(0, dash), *row);
  const std::optional<double> to = dash == std::string_view::npos ? from : number_of(rest.substr(dash + 1), *row);
  if (!from || !to || *to < *from) {
    throw_error(Error::Kind::usage, "data.degrade = \"{}\": must be {} with {} from {} to {}{}", text, row->form,
                row->is_whole ? "an integer" : "a number", row->low, row->high,
                row->has_range ? ", the second not below the first" : "");
  }
  return {row->kind, *from, *to, std::string(word)};
}

bool is_job(const Degradation& one) {
  return std::any_of(kRows.begin(), kRows.end(), [&](const Row& row) { return row.kind == one.kind && row.is_job; });
}

Degradation several_of(std::string_view text) {
  Degradation several{Kind::several, 0, 0, ""};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    Degradation job = one_of(part);
    if (!is_job(job)) {
      throw_error(Error::Kind::usage,
                  "data.degrade = \"{}\": {} cannot be one of several; those are noise, blur, motion, jpeg, hole and "
                  "strokes, which keep the size and the colours",
                  text, part);
    }
    for (const Degradation& each : several.jobs) {
      if (each.kind == job.kind || (each.has_holes() && job.has_holes())) {
        throw_error(Error::Kind::usage,
                    "data.degrade = \"{}\": {} and {} cannot both be among several; give one, or a range such as "
                    "noise:0-50",
                    text, each.word, job.word);
      }
    }
    several.jobs.push_back(std::move(job));
    begin = end + 1;
  }
  return several;
}

}  // namespace

bool leaves_holes(std::string_view word) {
  return word == "hole" || word == "strokes";
}

bool Degradation::has_holes() const {
  return kind == Kind::hole || kind == Kind::strokes ||
         std::any_of(jobs.begin(), jobs.end(), [](const Degradation& job) { return job.has_holes(); });
}

bool Degradation::is_drawn() const {
  return kind == Kind::noise || kind == Kind::several || has_holes();
}

Degradation degradation_of(std::string_view text) {
  const std::string_view meant = text == "all" ? kAllJobs : text;
  return meant.find(',') == std::string_view::npos ? one_of(meant) : several_of(meant);
}

}  // namespace duel
