// What a person at the terminal sees of a training run: one line that is rewritten, or plain lines where the output is
// not a terminal. The same lines go to log.txt. Output that cannot be written any more ends neither run nor log, and
// a log that cannot be, or that somebody removed, ends nothing either: it is made again, with a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace spdlog {
class logger;
}

namespace duel {

struct ProgressState {
  std::int64_t step = 0, last_step = 0, steps_per_epoch = 1, epochs = 0;
  double images_per_second = 0;
  double seconds_left = 0;
  std::span<const std::string> names;  // of the metrics
  std::span<const float> values;
  std::span<const std::pair<std::string, double>> held_out = {};  // what was last measured on held-out rows
};

// "step 120/1200  epoch 1/2  D 0.51  G 1.20  acc real 83% fake 91%  grad D 0.40 G 0.12  860 img/s  ETA 1:24"
std::string progress_line(const ProgressState& state);
// What a recipe of other metrics measures stands there by name, and behind it what is measured on held-out rows:
// "loss 0.53  accuracy 88%  grad_norm 0.41  held_out_accuracy 91.8%".
//
// The same in at most so many letters: gradients go first, then accuracies, the epoch, the losses; the step, the speed
// and the time left stay, in fewer letters where need be.
std::string progress_line(const ProgressState& state, std::size_t columns);
std::string duration_text(double seconds);  // "1:24", "2:03:09"

class Progress {
public:
  explicit Progress(const std::string& log_file);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool is_live() const { return live_; }
  // Rewrites the live line (at most ten times a second). Nothing where the output is not a terminal.
  void update(const ProgressState& state);
  // One line for the log, and for the output where it is not a terminal.
  void log_step(const ProgressState& state);
  // A message of its own on the terminal and in the log.
  void message(const std::string& text);

private:
  void open_log();
  void log(const std::string& text);
  void clear_live_line();
  void print(const std::string& text);

  bool live_;
  bool is_silent_ = false;  // nobody reads: a closed pipe, a lost terminal, a full disk
  bool line_shown_ = false, log_failed_ = false;
  double last_update_ = 0;
  const std::string log_file_;
  std::shared_ptr<spdlog::logger> log_;
};

}  // namespace duel
