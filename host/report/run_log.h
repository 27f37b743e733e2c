// log.txt of a run, read back: what was said and when, and how the last start of the run ended. A file that is still
// written, or damaged, gives what can be made out; text without a time belongs to the line before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct RunLog {
  struct Line {
    std::string time;  // "2026-11-27 19:19:58", or "" where the line has none
    std::string text;
  };
  enum class End : std::uint8_t { none, done, interrupted, failed };

  std::vector<Line> events;       // all but the lines of progress, the newest kMostEvents of them
  std::int64_t older_events = 0;  // those left out before them
  std::vector<std::string> tail;  // the last lines of the file, as they stand
  std::vector<Line> warnings;     // without the word
  End end = End::none;            // of the last start; none: it goes on, or ended without a word
  std::string end_text;           // of an error its sentence
  std::string first_time, last_time;
  std::int64_t planned_steps = 0;  // 0: the log does not say
  int starts = 0;                  // how often the run was started or resumed

  static constexpr std::size_t kMostEvents = 400, kTail = 40;
};

RunLog parse_run_log(std::string_view text);

}  // namespace duel
