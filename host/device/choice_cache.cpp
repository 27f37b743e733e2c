#include "host/device/choice_cache.h"

#include "host/files/atomic_file.h"
#include "host/files/cache_folder.h"
#include "kernels/check.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace duel {

namespace {

constexpr int kFormat = 2;

void complain(const std::string& text) {
  fmt::print(stderr, "duel: {}\n", text);
}

nlohmann::ordered_json json_of(const KernelDecision& decision) {
  nlohmann::ordered_json json = {
      {"kernel", decision.kernel}, {"recipe", decision.recipe}, {"us", nlohmann::ordered_json::array()}};
  for (const KernelTiming& timing : decision.timings) {
    json["us"].push_back({{"kernel", timing.kernel}, {"us", timing.us}});
  }
  if (!decision.note.empty()) {
    json["note"] = decision.note;
  }
  return json;
}

// Throws where anything is not as json_of() wrote it.
KernelDecision decision_of(const std::string& problem, const nlohmann::json& json) {
  KernelDecision decision{
      problem, json.at("kernel").get<std::string>(), {}, json.value("note", ""), json.at("recipe").get<std::string>()};
  for (const nlohmann::json& timing : json.at("us")) {
    decision.timings.push_back({timing.at("kernel").get<std::string>(), timing.at("us").get<double>()});
  }
  return decision;
}

}  // namespace

std::filesystem::path ChoiceCache::default_path() {
  const std::filesystem::path folder = cache_folder();
  return folder.empty() ? folder : folder / "kernels.json";
}

ChoiceCache::ChoiceCache(std::filesystem::path file) : file_(std::move(file)), decisions_(read()) {}

ChoiceCache::Decisions ChoiceCache::read() {
  if (file_.empty()) {
    return {};
  }
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) {
    return {};
  }
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    const nlohmann::json json = nlohmann::json::parse(text.str());
    Decisions decisions;
    if (const int format = json.at("format").get<int>(); format != kFormat) {
      complain(fmt::format("{} is of format {}, but this program's is {}; kernels are measured again", file_.string(),
                           format, kFormat));
      return {};
    }
    for (const auto& [device, problems] : json.at("devices").items()) {
      for (const auto& [problem, decision] : problems.items()) {
        decisions[device].emplace(problem, decision_of(problem, decision));
      }
    }
    return decisions;
  } catch (const nlohmann::json::exception& error) {
    const std::filesystem::path aside = file_.string() + ".corrupt";
    std::error_code failure;
    std::filesystem::rename(file_, aside, failure);
    complain(fmt::format("{} is no list of kernel choices ({}); {}, and kernels are measured again", file_.string(),
                         error.what(), failure ? "it stays" : "it is now " + aside.string()));
    return {};
  }
}

std::optional<KernelDecision> ChoiceCache::find(const std::string& device, const std::string& problem) {
  const auto on_device = decisions_.find(device);
  if (on_device == decisions_.end() || !on_device->second.contains(problem)) {
    return std::nullopt;
  }
  return on_device->second.at(problem);
}

void ChoiceCache::remember(const std::string& device, const KernelDecision& decision) {
  decisions_[device][decision.problem] = decision;
  if (!is_writable_) {
    return;
  }
  if (file_.empty()) {
    is_writable_ = false;
    complain(fmt::format("kernel choices cannot be remembered: {}", kNowhere));
    return;
  }
  Decisions all = read();  // what another process has written meanwhile
  for (const auto& [name, problems] : decisions_) {
    for (const auto& [problem, ours] : problems) {
      all[name][problem] = ours;
    }
  }
  write(all);
  decisions_ = std::move(all);
}

void ChoiceCache::write(const Decisions& decisions) {
  nlohmann::ordered_json json = {{"format", kFormat}, {"devices", nlohmann::ordered_json::object()}};
  for (const auto& [device, problems] : decisions) {
    for (const auto& [problem, decision] : problems) {
      json["devices"][device][problem] = json_of(decision);
    }
  }
  try {
    std::error_code ignored;  // writing says what is wrong
    std::filesystem::create_directories(file_.parent_path(), ignored);
    write_file_atomically(file_, json.dump(1) + "\n");
  } catch (const Error& error) {
    is_writable_ = false;
    complain(fmt::format("kernel choices cannot be remembered: {}", error.what()));
  }
}

std::string summary(const std::vector<KernelDecision>& decisions) {
  std::map<std::string, int> counts;
  std::string left_out;
  for (const KernelDecision& decision : decisions) {
    ++counts[decision.kernel.substr(0, decision.kernel.find(' '))];
    if (!decision.note.empty() && !decision.timings.empty()) {
      left_out += fmt::format("; in {}: {}", decision.problem, decision.note);
    }
  }
  std::string text = "kernels of several to choose from:";
  for (const auto& [library, count] : counts) {
    text +=
        fmt::format("{} {} {}", text.back() == ':' ? "" : ",", count, library == "ours" ? library : "by " + library);
  }
  return text + left_out;
}

std::map<std::string, std::size_t> ChoiceCache::devices() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& [device, problems] : decisions_) {
    counts[device] = problems.size();
  }
  return counts;
}

}  // namespace duel
