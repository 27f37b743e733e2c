// `duel report`: a run as one HTML file, for people who were not there.
#include "host/report/report.h"
#include "host/files/atomic_file.h"
#include "host/report/verdict.h"
#include "host/run/run_directory.h"
#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace duel {

namespace {

constexpr std::size_t kMostRuns = 6;  // that can be told apart in a chart

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

struct ReportFlags {
  std::string run, out;
  std::vector<std::string> others;
  int megabytes = 24;
  bool no_data = false, json = false;
  DeviceFlags device;

  Report gather() const {
    std::vector<std::string> folders = {run};
    folders.insert(folders.end(), others.begin(), others.end());
    if (folders.size() > kMostRuns) {
      throw_error(Error::Kind::usage, "report: {} runs are too many to be told apart; at most {} are compared",
                  folders.size(), kMostRuns);
    }
    Report report{{}, now_text(), DUEL_VERSION};
    for (const std::string& folder : folders) {
      GatherRequest request;
      request.run = folder;
      request.reads_data = !no_data;
      request.sheet_bytes = (static_cast<std::uintmax_t>(megabytes) << 20) / folders.size();
      request.where = device.resolve();
      request.progress = show_decoding();
      report.runs.push_back(gather_run(request));
    }
    return report;
  }

  std::filesystem::path file() const {
    return !out.empty() ? std::filesystem::path(out)
                        : std::filesystem::path(run) / (others.empty() ? "report.html" : "comparison.html");
  }

  void print(const Report& report) const {
    const std::string page = to_html(report);
    write_file_atomically(file(), page);
    fmt::print("{}: {:.1f} MiB", file().string(), static_cast<double>(page.size()) / (1 << 20));
    for (const RunReport& each : report.runs) {
      const Verdict verdict = verdict_of(each);
      fmt::print("{}{}: {}; {}", each.name.empty() ? "" : "; ", each.name, verdict.word, verdict.text);
    }
    fmt::print("\n");
  }
};

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("report", "Write a run, or several side by side, as one HTML file for people");
  auto flags = std::make_shared<ReportFlags>();
  add_text(*verb, "--run", flags->run, "folder of the run; it may still train, or be damaged")->required();
  verb->add_option("--compare", flags->others, "folders of other runs, to be put beside it")->expected(1, -1);
  add_text(*verb, "--out", flags->out, "the file; otherwise report.html (comparison.html) in the run's folder");
  add_integer(*verb, "--sheets-mib", flags->megabytes, 0, 1024,
              "MiB of sample sheets that the file holds at most; of more it takes some, evenly over the run");
  verb->add_flag("--no-data", flags->no_data, "do not open the data set: no report of it, no table of confusions");
  flags->device.declare(*verb);
  verb->add_flag("--json", flags->json, "print what was gathered instead, for programs");
  verb->callback([flags, &exit_code] {
    const Report report = flags->gather();
    if (flags->json) {
      fmt::print("{}\n", to_json(report));
    } else {
      flags->print(report);
    }
    exit_code = 0;
  });
}

}  // namespace duel
