#include "host/run/progress.h"

#include "kernels/check.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace duel {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double metric(const ProgressState& state, const char* name) {
  const auto found = std::find(state.names.begin(), state.names.end(), name);
  const auto index = static_cast<std::size_t>(found - state.names.begin());
  return index < state.values.size() ? static_cast<double>(state.values[index]) : std::nan("");
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) {
    return "?";
  }
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

namespace {

struct Part {
  std::string text;
  int rank = 0;  // the greatest goes first; 0 stays
};

std::string number_text(const std::string& name, double value, int decimals) {
  return name.ends_with("accuracy") ? fmt::format("{} {:.{}f}%", name, 100 * value, decimals - 2)
                                    : fmt::format("{} {:.{}f}", name, value, decimals);
}

// Of two networks that play against each other.
void add_adversarial(const ProgressState& s, std::vector<Part>& parts) {
  parts.push_back({fmt::format("D {:.3f}  G {:.3f}", metric(s, "d_loss"), metric(s, "g_loss")), 1});
  if (const double right = metric(s, "d_pairs_right"); !std::isnan(right)) {
    parts.push_back({fmt::format("pairs right {:.0f}%", 100 * right), 3});
  } else {
    parts.push_back({fmt::format("acc real {:.0f}% fake {:.0f}%", 100 * metric(s, "d_accuracy_real"),
                                 100 * metric(s, "d_accuracy_fake")),
                     3});
  }
  if (const double psnr = metric(s, "psnr"); !std::isnan(psnr)) {
    parts.push_back({number_text("psnr", psnr, 3), 2});
  }
  parts.push_back({fmt::format("grad D {:.2f} G {:.2f}", metric(s, "d_grad_norm"), metric(s, "g_grad_norm")), 4});
}

std::vector<Part> parts_of(const ProgressState& s) {
  const std::int64_t epoch = s.step == 0 ? 1 : (s.step - 1) / s.steps_per_epoch + 1;
  std::vector<Part> parts = {{fmt::format("step {}/{}", s.step, s.last_step)},
                             {fmt::format("epoch {}/{}", epoch, s.epochs), 2}};
  if (std::find(s.names.begin(), s.names.end(), "d_loss") != s.names.end()) {
    add_adversarial(s, parts);
  } else {
    for (std::size_t i = 0; i < std::min(s.names.size(), s.values.size()); ++i) {
      const std::string& name = s.names[i];
      const bool is_norm = name.ends_with("norm");
      parts.push_back(
          {number_text(name, static_cast<double>(s.values[i]), name.ends_with("accuracy") || is_norm ? 2 : 3),
           i == 0    ? 1
           : is_norm ? 4
                     : 3});
    }
  }
  for (const auto& [name, value] : s.held_out) {
    parts.push_back({number_text(name, value, 3), 1});
  }
  parts.push_back({fmt::format("{:.0f} img/s", s.images_per_second)});
  parts.push_back({fmt::format("ETA {}", duration_text(s.seconds_left))});
  return parts;
}

std::string joined(const std::vector<Part>& parts, int most_rank) {
  std::string line;
  for (const Part& part : parts) {
    if (part.rank <= most_rank) {
      line += (line.empty() ? "" : "  ") + part.text;
    }
  }
  return line;
}

constexpr int kAllRanks = 4;

}  // namespace

std::string progress_line(const ProgressState& s) {
  return joined(parts_of(s), kAllRanks);
}

std::string progress_line(const ProgressState& s, std::size_t columns) {
  const std::vector<Part> parts = parts_of(s);
  for (int rank = kAllRanks; rank >= 0; --rank) {
    if (std::string line = joined(parts, rank); line.size() <= columns) {
      return line;
    }
  }
  std::string shortest = fmt::format("{} {:.0f}/s {}", s.step, s.images_per_second, duration_text(s.seconds_left));
  return shortest.substr(0, columns);
}

Progress::Progress(const std::string& log_file) : live_(isatty(STDOUT_FILENO) != 0), log_file_(log_file) {
  try {
    open_log();
  } catch (const spdlog::spdlog_ex& error) {
    throw_error(Error::Kind::data, "{}: cannot be opened: {}", log_file, error.what());
  }
}

void Progress::open_log() {
  log_ = std::make_shared<spdlog::logger>("run", std::make_shared<spdlog::sinks::basic_file_sink_mt>(log_file_));
  log_->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  log_->flush_on(spdlog::level::info);
  log_->set_error_handler([this](const std::string& reason) {
    if (!std::exchange(log_failed_, true)) {
      clear_live_line();
      print(fmt::format("warning: {}: lines of the log are lost: {}\n", log_file_, reason));
    }
  });
}

void Progress::log(const std::string& text) {
  std::error_code ignored;
  if (!std::filesystem::exists(log_file_, ignored)) {
    try {
      std::filesystem::create_directories(std::filesystem::path(log_file_).parent_path(), ignored);
      open_log();
      log_->info("warning: this log had vanished, and is made again");
    } catch (const spdlog::spdlog_ex&) {  // what it is written to now has no name, which harms nobody
    }
  }
  log_->info(text);
}

Progress::~Progress() {
  if (line_shown_) {
    print("\n");
  }
}

void Progress::update(const ProgressState& state) {
  const double now = now_seconds();
  if (!live_ || (now - last_update_ < 0.1 && state.step != state.last_step)) {
    return;
  }
  last_update_ = now;
  print("\r\033[K" + progress_line(state, terminal_width() - 1));  // in the last column some terminals begin a new line
  line_shown_ = true;
}

void Progress::log_step(const ProgressState& state) {
  const std::string line = progress_line(state);
  log(line);
  if (!live_) {
    print(line + "\n");
  }
}

void Progress::message(const std::string& text) {
  clear_live_line();
  print(text + "\n");
  log(text);
}

void Progress::clear_live_line() {
  if (line_shown_) {
    print("\r\033[K");
    line_shown_ = false;
  }
}

// Past the C library, whose stream would keep what could not be written and fail again at the end.
void Progress::print(const std::string& text) {
  std::fflush(stdout);
  std::string_view rest = text;
  while (!rest.empty() && !is_silent_) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // a terminal or pipe that does not wait: this line is not worth waiting for
      return;
    } else if (errno != EINTR) {
      is_silent_ = true;
    }
  }
}

}  // namespace duel
