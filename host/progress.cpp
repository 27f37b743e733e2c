#include "host/progress.h"

#include "kernels/check.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

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

std::string progress_line(const ProgressState& s) {
  const std::int64_t epoch = s.step == 0 ? 1 : (s.step - 1) / s.steps_per_epoch + 1;
  return fmt::format(
      "step {}/{}  epoch {}/{}  D {:.3f}  G {:.3f}  acc real {:.0f}% fake {:.0f}%  grad D {:.2f} G {:.2f}  {:.0f} "
      "img/s  "
      "ETA {}",
      s.step, s.last_step, epoch, s.epochs, metric(s, "d_loss"), metric(s, "g_loss"),
      100 * metric(s, "d_accuracy_real"), 100 * metric(s, "d_accuracy_fake"), metric(s, "d_grad_norm"),
      metric(s, "g_grad_norm"), s.images_per_second, duration_text(s.seconds_left));
}

Progress::Progress(const std::string& log_file) : live_(isatty(STDOUT_FILENO) != 0) {
  try {
    log_ = std::make_shared<spdlog::logger>("run", std::make_shared<spdlog::sinks::basic_file_sink_mt>(log_file));
  } catch (const spdlog::spdlog_ex& error) {
    throw_error(Error::Kind::data, "{}: cannot be opened: {}", log_file, error.what());
  }
  log_->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  log_->flush_on(spdlog::level::info);
}

Progress::~Progress() {
  if (line_shown_) {
    std::fputc('\n', stdout);
  }
  std::fflush(stdout);
}

void Progress::update(const ProgressState& state) {
  const double now = now_seconds();
  if (!live_ || (now - last_update_ < 0.1 && state.step != state.last_step)) {
    return;
  }
  last_update_ = now;
  const std::string line = progress_line(state).substr(0, terminal_width() - 1);
  fmt::print("\r\033[K{}", line);
  std::fflush(stdout);
  line_shown_ = true;
}

void Progress::log_step(const ProgressState& state) {
  const std::string line = progress_line(state);
  log_->info(line);
  if (!live_) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }
}

void Progress::message(const std::string& text) {
  clear_live_line();
  fmt::print("{}\n", text);
  std::fflush(stdout);
  log_->info(text);
}

void Progress::clear_live_line() {
  if (line_shown_) {
    fmt::print("\r\033[K");
    line_shown_ = false;
  }
}

}  // namespace duel
