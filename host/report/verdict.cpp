#include "host/report/verdict.h"

#include "host/run/progress.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

std::string steps_text(const RunReport& report) {
  return report.planned_steps > 0 ? fmt::format("step {} of {}", grouped(report.step), grouped(report.planned_steps))
                                  : fmt::format("step {}", grouped(report.step));
}

std::string how_it_stands(const RunReport& report) {
  const std::string after = report.seconds > 0 ? " after " + duration_text(report.seconds) : "";
  switch (report.state) {
    case RunState::training: {
      std::string text = fmt::format("It still trains: {}{}", steps_text(report), after);
      if (report.pictures_per_second && report.planned_steps > report.step && report.options) {
        const double left = static_cast<double>((report.planned_steps - report.step) * report.options->train.batch) /
                            *report.pictures_per_second;
        text += fmt::format(", {} to go at its present speed", duration_text(left));
      }
      return text + ".";
    }
    case RunState::done:
      return report.seconds > 0
                 ? fmt::format("All {} steps were trained, in {}.", grouped(report.step), duration_text(report.seconds))
                 : fmt::format("All {} steps were trained.", grouped(report.step));
    case RunState::interrupted:
      return fmt::format("It was interrupted at {}{}; `duel train --out RUN --resume` goes on there.",
                         steps_text(report), after);
    case RunState::failed: return fmt::format("It ended at {}{}: {}.", steps_text(report), after, report.log.end_text);
    case RunState::silent: break;
  }
  return report.step == 0 ? "It has trained no step that was written down."
                          : fmt::format(
                                "It ended at {}{} without a word, as a process does that is killed; `duel train "
                                "--out RUN --resume` goes on from the latest checkpoint.",
                                steps_text(report), after);
}

const Curve* curve_named(const RunReport& report, std::string_view name) {
  const auto found =
      std::find_if(report.curves.begin(), report.curves.end(), [&](const Curve& each) { return each.name == name; });
  return found == report.curves.end() || !std::isfinite(found->last) ? nullptr : &*found;
}

// What was measured on pictures that training does not see, or against real ones.
std::string how_good(const RunReport& report) {
  for (const ReadFigure& figure : report.evaluation.figures) {
    if (figure.value && figure.floor) {
      return fmt::format("{} is {:.4g}, where real pictures against real ones give {:.4g}.", figure.name, *figure.value,
                         *figure.floor);
    }
  }
  if (report.confusion) {
    std::int64_t rows = 0;
    for (std::size_t label = 0; label < report.confusion->names.size(); ++label) {
      rows += report.confusion->rows_of(label);
    }
    return fmt::format("Of {} held-out pictures it calls {:.1f} % by their class (step {}).", grouped(rows),
                       100 * report.confusion->accuracy(), grouped(report.confusion_step));
  }
  if (const Curve* accuracy = curve_named(report, "held_out_accuracy")) {
    return fmt::format("Of the held-out pictures it calls {:.1f} % by their class.", 100 * accuracy->last);
  }
  if (const Curve* elbo = curve_named(report, "held_out_elbo_bits_per_dim")) {
    const Curve* error = curve_named(report, "held_out_mse");
    return fmt::format("On held-out pictures its bound is {:.3f} bits a pixel{}.", elbo->last,
                       error == nullptr ? "" : fmt::format(", the squared error {:.4g}", error->last));
  }
  return "Nothing in the folder measures how good its pictures are; judge by the sheets.";
}

std::vector<std::string> present_ailments(const RunReport& report) {
  std::vector<std::string> present;
  for (const HealthMark& mark : report.health) {
    std::string name = mark.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    std::erase(present, name);
    if (mark.begins) {
      present.push_back(name);
    }
  }
  return present;
}

std::string how_healthy(const RunReport& report, const std::vector<std::string>& present) {
  const std::size_t warnings = report.log.warnings.size();
  std::string text = warnings == 0   ? "Nothing was warned of."
                     : warnings == 1 ? "There was 1 warning."
                                     : fmt::format("There were {} warnings.", warnings);
  if (!present.empty()) {
    text += fmt::format(" Still there at the last step: {}.", fmt::join(present, ", "));
  }
  return text;
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = std::ssize(text) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

const char* mood_name(Verdict::Mood mood) {
  switch (mood) {
    case Verdict::Mood::good: return "good";
    case Verdict::Mood::busy: return "busy";
    case Verdict::Mood::warning: return "warning";
    case Verdict::Mood::bad: break;
  }
  return "bad";
}

Verdict verdict_of(const RunReport& report) {
  using Mood = Verdict::Mood;
  const std::vector<std::string> present = present_ailments(report);
  Verdict verdict;
  switch (report.state) {
    case RunState::training: verdict = {Mood::busy, "In training", ""}; break;
    case RunState::done: verdict = {Mood::good, "Finished", ""}; break;
    case RunState::interrupted: verdict = {Mood::warning, "Interrupted", ""}; break;
    case RunState::failed: verdict = {Mood::bad, "Failed", ""}; break;
    case RunState::silent: verdict = {Mood::bad, report.step == 0 ? "Not begun" : "Broken off", ""}; break;
  }
  const bool has_faults = !present.empty() || !report.problems.empty();
  if (has_faults && verdict.mood == Mood::good) {
    verdict.mood = Mood::warning;
    verdict.word = present.empty() ? "Finished; parts cannot be read" : "Finished, with faults";
  }
  verdict.text =
      how_it_stands(report) + " " + (report.step > 0 ? how_good(report) + " " : "") + how_healthy(report, present);
  return verdict;
}

}  // namespace duel
