// What a person who never saw the run should know of it first: whether it is done, how well it does, whether anything
// went wrong. Nothing is judged that was not measured.
#pragma once

#include "host/report/run_report.h"

#include <string>

namespace duel {

struct Verdict {
  enum class Mood : std::uint8_t { good, busy, warning, bad };
  Mood mood = Mood::good;
  std::string word;  // "Finished"
  std::string text;  // two or three sentences
};

Verdict verdict_of(const RunReport& report);
const char* mood_name(Verdict::Mood mood);

std::string grouped(std::int64_t number);  // "12,345"

}  // namespace duel
