#include "host/report/run_log.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace duel {

namespace {

constexpr std::string_view kTimePattern = "0000-00-00 00:00:00  ";  // 0: any digit
constexpr std::string_view kError = "ended by an error: ";

bool begins_with_time(std::string_view line) {
  return line.size() >= kTimePattern.size() &&
         std::equal(kTimePattern.begin(), kTimePattern.end(), line.begin(), [](char pattern, char letter) {
           return pattern == '0' ? std::isdigit(static_cast<unsigned char>(letter)) != 0 : pattern == letter;
         });
}

// The number that text begins with; 0 where it begins with none.
std::int64_t leading_number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::max<std::int64_t>(number, 0);
}

// Of "step 50/2600  epoch 1/31 ..." 2600; 0 where it is no line of progress.
std::int64_t progress_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (!text.starts_with("step ") || slash == std::string_view::npos || text.find("  ") == std::string_view::npos ||
      text.substr(5, slash - 5).find_first_not_of("0123456789") != std::string_view::npos) {
    return 0;
  }
  return leading_number(text.substr(slash + 1));
}

// Of "fashion-mnist on cpu (2 threads): ..., preset steady, new to step 2600, fp32" 2600; 0 where no start is told.
std::int64_t planned_by_start(std::string_view text) {
  constexpr std::string_view kTo = " to step ";
  const std::size_t preset = text.find(", preset ");
  const std::size_t to = preset == std::string_view::npos ? preset : text.find(kTo, preset);
  return to == std::string_view::npos ? 0 : leading_number(text.substr(to + kTo.size()));
}

RunLog::End end_of(std::string_view text) {
  return text.starts_with("done at step ")     ? RunLog::End::done
         : text.starts_with("interrupted by ") ? RunLog::End::interrupted
         : text.starts_with(kError)            ? RunLog::End::failed
                                               : RunLog::End::none;
}

void take_event(RunLog& log, const std::string& time, std::string_view text) {
  constexpr std::string_view kWarning = "warning: ";
  log.events.push_back({time, std::string(text)});
  if (text.starts_with(kWarning)) {
    log.warnings.push_back({time, std::string(text.substr(kWarning.size()))});
  } else if (const std::int64_t planned = planned_by_start(text); planned > 0) {
    log.planned_steps = planned;
    log.end = RunLog::End::none;
    log.end_text.clear();
    ++log.starts;
  } else if (const RunLog::End end = end_of(text); end != RunLog::End::none) {
    log.end = end;
    log.end_text = text.substr(text.starts_with(kError) ? kError.size() : 0);
  }
}

}  // namespace

RunLog parse_run_log(std::string_view text) {
  RunLog log;
  std::vector<std::string_view> lines;
  bool is_event = false;  // what the line before was
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    lines.push_back(line);
    if (!begins_with_time(line)) {
      if (is_event) {
        log.events.back().text.append("\n").append(line);
      }
      continue;
    }
    const std::string time(line.substr(0, kTimePattern.size() - 2));
    const std::string_view said = line.substr(kTimePattern.size());
    log.first_time = log.first_time.empty() ? time : log.first_time;
    log.last_time = time;
    const std::int64_t planned = progress_of(said);
    is_event = planned == 0;
    if (is_event) {
      take_event(log, time, said);
    } else {
      log.planned_steps = planned;
    }
  }
  lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(std::min(lines.size(), RunLog::kTail)));
  log.tail.assign(lines.begin(), lines.end());
  if (log.events.size() > RunLog::kMostEvents) {
    const std::size_t older = log.events.size() - RunLog::kMostEvents;
    log.events.erase(log.events.begin(), log.events.begin() + static_cast<std::ptrdiff_t>(older));
    log.older_events = static_cast<std::int64_t>(older);
  }
  return log;
}

}  // namespace duel
