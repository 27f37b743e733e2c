#include "host/report/sheets.h"

#include "kernels/check.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>

namespace duel {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStep = "step_", kEnding = ".png";

std::string title_of(const std::string& kind) {
  return kind.empty()                ? "By the moving average of the weights"
         : kind == "raw"             ? "By the weights as trained"
         : kind == "reconstructions" ? "Pictures above their reconstructions"
                                     : kind;
}

// Of "step_000000500_raw.png" the step, and "raw".
bool parse_name(std::string_view name, std::int64_t& step, std::string& kind) {
  if (!name.starts_with(kStep) || !name.ends_with(kEnding)) {
    return false;
  }
  name.remove_prefix(kStep.size());
  name.remove_suffix(kEnding.size());
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), step);
  const std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()));
  if (failure != std::errc() || step < 0 || (!rest.empty() && (rest[0] != '_' || rest.size() == 1))) {
    return false;
  }
  kind = rest.empty() ? "" : rest.substr(1);
  return true;
}

// `count` of the places from 0 to size - 1, the first and the last among them.
std::vector<std::size_t> spread_places(std::size_t size, std::size_t count) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) {
    places.push_back(count == 1 ? size - 1 : i * (size - 1) / (count - 1));
  }
  return places;
}

}  // namespace

std::vector<SheetSeries> list_sheets(const fs::path& folder) {
  std::map<std::string, SheetSeries> by_kind;  // "" first
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    Sheet sheet;
    std::string kind;
    std::error_code ignored;
    if (parse_name(entry->path().filename().string(), sheet.step, kind) && entry->is_regular_file(ignored)) {
      sheet.file = entry->path();
      sheet.bytes = entry->file_size(ignored);
      by_kind[kind].sheets.push_back(sheet);
    }
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw_error(Error::Kind::data, "{}: cannot be listed: {}", folder.string(), failure.message());
  }
  std::vector<SheetSeries> all;
  for (auto& [kind, series] : by_kind) {
    series.kind = kind;
    series.title = title_of(kind);
    series.total = std::ssize(series.sheets);
    std::sort(series.sheets.begin(), series.sheets.end(),
              [](const Sheet& a, const Sheet& b) { return a.step < b.step; });
    all.push_back(std::move(series));
  }
  return all;
}

void thin_sheets(SheetSeries& series, std::size_t most, std::uintmax_t bytes) {
  for (std::size_t count = std::min(most, series.sheets.size());; --count) {
    std::vector<Sheet> chosen;
    std::uintmax_t sum = 0;
    for (const std::size_t place : spread_places(series.sheets.size(), count)) {
      chosen.push_back(series.sheets[place]);
      sum += chosen.back().bytes;
    }
    if (sum <= bytes || count == 0) {
      series.sheets = std::move(chosen);
      return;
    }
  }
}

std::string png_uri(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = "data:image/png;base64,";
  uri.reserve(uri.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      uri += j <= count ? kLetters[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return uri;
}

}  // namespace duel
