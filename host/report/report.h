// What `duel report` shows: a run, or several side by side, as one HTML file that needs no network and no other file.
#pragma once

#include "host/report/run_report.h"

#include <string>
#include <vector>

namespace duel {

// An option in which the runs differ.
struct OptionDifference {
  std::string key;
  std::vector<std::string> values;  // of each run in TOML; "" where its options cannot be read
};

struct Report {
  std::vector<RunReport> runs;  // at least one
  std::string made;             // "2026-11-27 20:15:00"
  std::string version;          // of the program
};

std::vector<OptionDifference> differences_of(const std::vector<RunReport>& runs);

// For programs. Sheets are named by their files.
std::string to_json(const Report& report);
// The page, with the sheets in it. A sheet that cannot be read any more is left out.
std::string to_html(const Report& report);

// The page as it is built into the program, with {{data}} where the report's JSON goes.
extern const char* const kReportPage;

}  // namespace duel
