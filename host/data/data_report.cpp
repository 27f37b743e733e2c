#include "host/data/data_report.h"

#include "host/data/photograph_source.h"
#include "host/data/picture_look.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <tuple>
#include <utility>

namespace duel {

namespace {

constexpr std::size_t kMostListed = 10;  // of each list, on a terminal
constexpr std::size_t kMostOfAGroup = 4;
constexpr double kLargeCut = 0.2;
constexpr std::int64_t kUnevenClasses = 10;

using Groups = std::vector<std::vector<std::string>>;

std::string counted(std::int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

std::string pictures(std::int64_t count) {
  return counted(count, "picture", "pictures");
}

// Places that belong together, directly or by others.
class Unions {
public:
  explicit Unions(std::size_t count) : above_(count) { std::iota(above_.begin(), above_.end(), std::size_t{0}); }

  std::size_t root(std::size_t place) {
    while (above_[place] != place) {
      above_[place] = above_[above_[place]];
      place = above_[place];
    }
    return place;
  }
  void join(std::size_t a, std::size_t b) {
    const std::size_t first = root(a), second = root(b);
    above_[std::max(first, second)] = std::min(first, second);
  }

private:
  std::vector<std::size_t> above_;
};

struct Used {  // a picture that is a row
  const Photograph* file;
  const DecodedPicture* decoded;
};

std::vector<Used> used_pictures(const PhotographSet& set) {
  std::vector<Used> used;
  for (std::size_t place = 0; place < set.folder.pictures.size(); ++place) {
    if (set.decoded.pictures[place]->row >= 0) {
      used.push_back({&set.folder.pictures[place], set.decoded.pictures[place]});
    }
  }
  return used;
}

void add_fault(const PhotographSet& set, DataReport::Files& files) {
  files.skipped = set.folder.skipped;
  for (const DecodedPicture* picture : set.decoded.pictures) {
    if (picture->row < 0) {
      files.skipped.push_back({picture->file, picture->fault});
    }
  }
  std::stable_sort(files.skipped.begin(), files.skipped.end(),
                   [](const SkippedFile& a, const SkippedFile& b) { return a.file < b.file; });
}

// The share of a picture that is cut off where it fills another shape.
double cut_of(const PictureFacts& facts, const Shape& picture) {
  const double is = static_cast<double>(facts.width) / facts.height;
  const double becomes = static_cast<double>(picture[2]) / picture[1];
  return 1 - std::min(is, becomes) / std::max(is, becomes);
}

void add_facts(const std::vector<Used>& used, const Shape& picture, Fit fit, DataReport::Files& files) {
  std::vector<DataReport::Extent> extents;
  for (const Used& each : used) {
    const PictureFacts& facts = each.decoded->facts;
    extents.push_back({facts.width, facts.height});
    ++files.formats[facts.format];
    ++(facts.width > facts.height ? files.landscape : facts.width < facts.height ? files.portrait : files.square);
    files.enlarged += facts.width < picture[2] || facts.height < picture[1] ? 1 : 0;
    files.grey += facts.channels == 1 ? 1 : 0;
    files.with_alpha += facts.has_alpha ? 1 : 0;
    files.animated += facts.is_animated ? 1 : 0;
    files.cut += fit == Fit::cover ? cut_of(facts, picture) / static_cast<double>(used.size()) : 0;
  }
  std::sort(extents.begin(), extents.end(), [](const auto& a, const auto& b) {
    return std::tuple(std::int64_t{a.width} * a.height, a.width) <
           std::tuple(std::int64_t{b.width} * b.height, b.width);
  });
  files.smallest = extents.front();
  files.median = extents[extents.size() / 2];
  files.largest = extents.back();
}

// Places of each group that has several.
std::vector<std::vector<std::size_t>> groups_of(Unions& unions, std::size_t count) {
  std::map<std::size_t, std::vector<std::size_t>> by_root;
  for (std::size_t place = 0; place < count; ++place) {
    by_root[unions.root(place)].push_back(place);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [root, group] : by_root) {
    if (group.size() > 1) {
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

std::vector<std::string> names_of(const std::vector<std::size_t>& group, const std::vector<Used>& used) {
  std::vector<std::string> names;
  for (const std::size_t place : group) {
    names.push_back(used[place].file->file);
  }
  return names;
}

double mean_difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::abs(a[i] - b[i]);
  }
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

void add_groups(Unions& unions, const std::vector<Used>& used, Groups& groups, Groups& contradictory) {
  for (const std::vector<std::size_t>& group : groups_of(unions, used.size())) {
    groups.push_back(names_of(group, used));
    const int label = used[group.front()].file->label;
    if (std::any_of(group.begin(), group.end(), [&](std::size_t place) { return used[place].file->label != label; })) {
      contradictory.push_back(groups.back());
    }
  }
}

void add_exact(const std::vector<Used>& used, DataReport::Files& files) {
  std::map<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>, std::size_t> first;
  Unions unions(used.size());
  for (std::size_t place = 0; place < used.size(); ++place) {
    const DecodedPicture& decoded = *used[place].decoded;
    unions.join(first.emplace(std::tuple(decoded.size, decoded.content, decoded.pixels), place).first->second, place);
  }
  add_groups(unions, used, files.exact, files.contradictory);
}

void add_near(const DecodedCache& cache, const std::vector<Used>& all, DataReport::Files& files) {
  std::vector<Used> used;  // one of each content
  std::map<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>, bool> seen;
  std::vector<std::uint64_t> looks;
  for (const Used& each : all) {
    const DecodedPicture& decoded = *each.decoded;
    if (seen.emplace(std::tuple(decoded.size, decoded.content, decoded.pixels), true).second) {
      used.push_back(each);
      looks.push_back(decoded.look);
    }
  }
  Unions unions(used.size());
  std::vector<std::uint8_t> a(cache.index().row_bytes()), b(a.size());
  for (const auto& [first, second] : near_pairs(looks)) {
    cache.read(used[first].decoded->row, reinterpret_cast<std::byte*>(a.data()));
    cache.read(used[second].decoded->row, reinterpret_cast<std::byte*>(b.data()));
    if (mean_difference(a, b) <= kNearLevels) {
      unions.join(first, second);
    }
  }
  add_groups(unions, used, files.near, files.contradictory);
}

DataReport::Files report_files(const PhotographSet& set, const Shape& picture) {
  DataReport::Files files;
  add_fault(set, files);
  files.others = set.folder.others;
  files.attributes = set.folder.attributes;
  files.notes = set.folder.notes;
  files.cache = set.decoded.cache->path().string();
  files.cache_note = set.decoded.note;
  const std::vector<Used> used = used_pictures(set);
  add_facts(used, picture, set.fit, files);
  add_exact(used, files);
  add_near(*set.decoded.cache, used, files);
  return files;
}

std::int64_t copies(const Groups& groups) {
  std::int64_t count = 0;
  for (const auto& group : groups) {
    count += static_cast<std::int64_t>(group.size()) - 1;
  }
  return count;
}

// "a.jpg = b.jpg", and how many more there are.
std::string group_text(const std::vector<std::string>& group) {
  const auto shown = static_cast<std::ptrdiff_t>(std::min(group.size(), kMostOfAGroup));
  const std::string text = fmt::format("{}", fmt::join(group.begin(), group.begin() + shown, " = "));
  return group.size() > kMostOfAGroup ? fmt::format("{} and {} more", text, group.size() - kMostOfAGroup) : text;
}

void advise_on_counts(DataReport& report, const std::string& recipe) {
  if (report.training < kFewPictures) {
    report.advice.push_back(fmt::format(
        "{} to train on are few: below {} a {}; more pictures, or augmentation, help", pictures(report.training),
        kFewPictures,
        recipe == "classify" ? "classifier learns them by heart" : "generator soon repeats those it has seen"));
  }
  std::vector<std::string> few;
  std::int64_t least = report.training, most = 0;
  for (const DataReport::Class& each : report.classes) {
    least = std::min(least, each.training);
    most = std::max(most, each.training);
    if (each.training < kFewOfAClass) {
      few.push_back(fmt::format("{} ({})", each.name, each.training));
    }
  }
  if (!few.empty()) {
    report.advice.push_back(
        fmt::format("fewer than {} pictures to train on have the {} {}: join them with like ones, or add pictures",
                    kFewOfAClass, few.size() == 1 ? "class" : "classes", fmt::join(few, ", ")));
  } else if (most > kUnevenClasses * least) {
    report.advice.push_back(fmt::format(
        "the largest class has {} pictures and the smallest {}: the smallest is learnt worst", most, least));
  }
}

void advise_on_files(DataReport& report) {
  const DataReport::Files& files = report.files;
  const auto advise = [&](std::string text) { report.advice.push_back(std::move(text)); };
  if (!files.skipped.empty()) {
    advise(fmt::format("{} skipped: mend or remove {}",
                       counted(static_cast<std::int64_t>(files.skipped.size()), "file is", "files are"),
                       files.skipped.size() == 1 ? "it" : "them"));
  }
  if (!files.contradictory.empty()) {
    advise(
        fmt::format("{} under several classes, such as {}: leave each in one",
                    counted(static_cast<std::int64_t>(files.contradictory.size()),
                            "picture, or one that looks like it, lies", "pictures, or some that look like them, lie"),
                    group_text(files.contradictory.front())));
  }
  if (const std::int64_t count = copies(files.exact); count > 0) {
    advise(fmt::format("{} of another file: remove all but one, or the generator draws {} more often",
                       counted(count, "file is a copy", "files are copies"), count == 1 ? "it" : "them"));
  }
  const Shape& picture = report.picture;
  if (const auto all = report.training + report.held_out; 10 * files.enlarged > all) {
    advise(fmt::format("{} smaller than {}x{}: they are enlarged and look soft; take a smaller --size",
                       counted(files.enlarged, "picture is", "pictures are"), picture[2], picture[1]));
  }
  if (files.cut > kLargeCut) {
    const bool is_wider = files.median.width * picture[1] > files.median.height * picture[2];
    advise(fmt::format(
        "{:.0f} % of a picture are cut off to make it {}x{}, in the mean, for most are {}: take a {} --size, or --fit "
        "contain, which "
        "shows all",
        100 * files.cut, picture[2], picture[1], is_wider ? "wider" : "taller", is_wider ? "wider" : "taller"));
  }
  for (const char* ending : {".heic", ".heif", ".avif", ".jxl", ".gif", ".bmp", ".psd"}) {
    if (const auto found = files.others.find(ending); found != files.others.end()) {
      advise(fmt::format("{} in {}, which is not read: convert {} to JPEG, PNG, WebP or TIFF",
                         counted(found->second, "file is", "files are"), ending, found->second == 1 ? "it" : "them"));
    }
  }
  if (report.classes.empty()) {
    advise(
        "there are no classes: sub-folders or a table labels.csv would give the generator some to choose from; "
        "--set data.labels=false trains without");
  }
}

std::string extents(const DataReport::Extent& extent) {
  return fmt::format("{}x{}", extent.width, extent.height);
}

std::string channels_text(int channels) {
  return channels == 1   ? "grey"
         : channels == 2 ? "grey with opacity"
         : channels == 3 ? "colour"
                         : "colour with opacity";
}

template <class List, class Show>
void add_list(std::string& text, const std::string& title, const List& list, const Show& show) {
  if (list.empty()) {
    return;
  }
  text += title + "\n";
  for (std::size_t i = 0; i < std::min(list.size(), kMostListed); ++i) {
    text += "  " + show(list[i]) + "\n";
  }
  if (list.size() > kMostListed) {
    text += fmt::format("  and {} more (--json lists all)\n", list.size() - kMostListed);
  }
}

std::string formats_text(const std::map<std::string, std::int64_t>& formats) {
  std::vector<std::string> parts;
  for (const auto& [format, count] : formats) {
    parts.push_back(fmt::format("{} {}", count, format.empty() ? "without an ending" : format));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string files_text(const DataReport::Files& files) {
  std::string text = fmt::format(
      "files: {}; {} landscape, {} portrait, {} square\n"
      "sizes: {} to {}, the median {}\n",
      formats_text(files.formats), files.landscape, files.portrait, files.square, extents(files.smallest),
      extents(files.largest), extents(files.median));
  text += fmt::format("stored: {} grey, {} with opacity, {} animated or of several pages (the first is taken)\n",
                      files.grey, files.with_alpha, files.animated);
  if (!files.others.empty()) {
    text += fmt::format("no pictures: {}\n", formats_text(files.others));
  }
  if (!files.attributes.empty()) {
    text += fmt::format("attributes: {}\n", fmt::join(files.attributes, ", "));
  }
  for (const std::string& note : files.notes) {
    text += note + "\n";
  }
  add_list(text, fmt::format("skipped ({}):", files.skipped.size()), files.skipped,
           [](const SkippedFile& file) { return file.file + ": " + file.reason; });
  add_list(text, fmt::format("the same file several times ({}):", files.exact.size()), files.exact, group_text);
  add_list(text, fmt::format("look alike ({}):", files.near.size()), files.near, group_text);
  text += fmt::format("cache: {}\n", files.cache_note.empty() ? files.cache : files.cache_note);
  return text;
}

std::string first_line(const DataReport& report) {
  std::string text = fmt::format("data: {}: {} of {}x{} in {}", report.name, pictures(report.training),
                                 report.picture[2], report.picture[1], channels_text(report.picture[3]));
  if (!report.classes.empty()) {
    const auto [least, most] = std::minmax_element(
        report.classes.begin(), report.classes.end(),
        [](const DataReport::Class& a, const DataReport::Class& b) { return a.training < b.training; });
    text += fmt::format(", {} of {}", counted(static_cast<std::int64_t>(report.classes.size()), "class", "classes"),
                        least->training == most->training ? fmt::format("{}", least->training)
                                                          : fmt::format("{} to {}", least->training, most->training));
  }
  return text + fmt::format("; {} held out", report.held_out);
}

}  // namespace

DataReport report_data(const Source& training, const Source* held_out, const std::string& recipe) {
  DataReport report;
  report.name = training.name();
  report.training = training.count();
  report.held_out = held_out != nullptr ? held_out->count() : 0;
  report.picture = picture_shape(training);
  if (has_field(training, "label")) {
    const std::vector<std::int64_t> its = class_counts(training, "label");
    const bool has_others = held_out != nullptr && has_field(*held_out, "label");
    const std::vector<std::int64_t> others =
        has_others ? class_counts(*held_out, "label") : std::vector<std::int64_t>(its.size());
    const auto& names = field_named(training, "label").names;
    for (std::size_t label = 0; label < names.size(); ++label) {
      report.classes.push_back({names[label], its[label], others[label]});
    }
  }
  advise_on_counts(report, recipe);
  if (const auto* photographs = dynamic_cast<const PhotographSource*>(&training.base())) {
    report.has_files = true;
    report.files = report_files(photographs->set(), report.picture);
    advise_on_files(report);
  }
  return report;
}

std::vector<std::string> short_report(const DataReport& report) {
  std::vector<std::string> lines = {first_line(report)};
  if (!report.files.cache_note.empty()) {
    lines.push_back(report.files.cache_note);
  }
  for (const std::string& advice : report.advice) {
    lines.push_back("data: " + advice);
  }
  if (report.has_files) {
    lines.push_back(fmt::format("`duel data {}` says more", report.name));
  }
  return lines;
}

std::string to_text(const DataReport& report) {
  std::string text = first_line(report) + "\n";
  std::size_t widest = 5;
  for (const DataReport::Class& each : report.classes) {
    widest = std::max(widest, each.name.size());
  }
  if (!report.classes.empty()) {
    text += fmt::format("  {:<{}} {:>9} {:>9}\n", "class", widest, "train", "held out");
  }
  for (const DataReport::Class& each : report.classes) {
    text += fmt::format("  {:<{}} {:>9} {:>9}\n", each.name, widest, each.training, each.held_out);
  }
  if (report.has_files) {
    text += files_text(report.files);
  }
  for (const std::string& advice : report.advice) {
    text += "advice: " + advice + "\n";
  }
  return text;
}

}  // namespace duel
