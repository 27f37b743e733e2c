#include "tools/verbs/decoding_line.h"

#include "host/device/timing.h"
#include "host/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

namespace duel {

namespace {

constexpr double kBetweenLines = 0.1;  // seconds
constexpr int kBar = 24;               // letters

struct Line {
  std::string what;
  Clock::time_point begin = Clock::now(), last = {};
};

std::string text_of(const DecodeProgress& progress, double seconds) {
  if (progress.count == 0) {
    return fmt::format("{} ...", progress.what);
  }
  const double share = static_cast<double>(progress.done) / static_cast<double>(progress.count);
  const int full = static_cast<int>(share * kBar);
  std::string text = fmt::format("{:<15} [{:#<{}}{:.<{}}] {}/{}", progress.what, "", full, "", kBar - full,
                                 progress.done, progress.count);
  if (progress.done > 0 && seconds > 0.5) {
    text += fmt::format("  {:.0f}/s  {} left", static_cast<double>(progress.done) / seconds,
                        duration_text(seconds * (1 - share) / share));
  }
  return text;
}

}  // namespace

std::function<void(const DecodeProgress&)> show_decoding() {
  if (::isatty(STDERR_FILENO) == 0) {
    return {};
  }
  return [line = std::make_shared<Line>()](const DecodeProgress& progress) {
    const Clock::time_point now = Clock::now();
    if (line->what != progress.what) {
      *line = {std::string(progress.what), now, {}};
    }
    const bool is_last = progress.count > 0 && progress.done == progress.count;
    if (!is_last && std::chrono::duration<double>(now - line->last).count() < kBetweenLines) {
      return;
    }
    line->last = now;
    // \r to the line's beginning, then the rest of it is cleared.
    const std::string text = is_last ? "" : text_of(progress, std::chrono::duration<double>(now - line->begin).count());
    std::fputs(("\r" + text + "\033[K").c_str(), stderr);
    std::fflush(stderr);
  };
}

}  // namespace duel
