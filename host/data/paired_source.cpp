#include "host/data/paired_source.h"

#include "host/data/scan_photographs.h"
#include "host/files/crc32c.h"
#include "host/pictures/decode.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace duel {

namespace {

// What is wrong with pairs, all of it in one sentence.
class Faults {
public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  void refuse_any(const std::string& truth, const std::string& inputs) const {
    if (texts_.empty()) {
      return;
    }
    const std::size_t shown = std::min(texts_.size(), kMostListed);
    throw_error(Error::Kind::data, "{} and {}: are no pairs: {}{}", truth, inputs,
                fmt::join(texts_.begin(), texts_.begin() + static_cast<std::ptrdiff_t>(shown), "; "),
                shown < texts_.size() ? fmt::format("; and {} more", texts_.size() - shown) : "");
  }

private:
  std::vector<std::string> texts_;
};

std::string without_ending(const std::string& file) {
  return std::filesystem::path(file).replace_extension().string();
}

std::map<std::string, std::size_t> places_of(const PhotographFolder& folder, Faults& faults) {
  std::map<std::string, std::size_t> places;
  for (std::size_t place = 0; place < folder.pictures.size(); ++place) {
    const std::string& file = folder.pictures[place].file;
    const auto [other, is_new] = places.emplace(without_ending(file), place);
    if (!is_new) {
      faults.add(fmt::format("{} and {} are called the same but for their endings", folder.pictures[other->second].file,
                             file));
    }
  }
  return places;
}

// Of each of the truth's pictures the place of its partner.
std::vector<std::size_t> match(const PhotographFolder& truth, const PhotographFolder& inputs) {
  Faults faults;
  const std::map<std::string, std::size_t> ours = places_of(truth, faults), theirs = places_of(inputs, faults);
  std::vector<std::size_t> partners(truth.pictures.size());
  for (const auto& [name, place] : ours) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) {
      faults.add(fmt::format("{} has no partner in {}", truth.pictures[place].file, inputs.path.string()));
    } else {
      partners[place] = found->second;
    }
  }
  for (const auto& [name, place] : theirs) {
    if (ours.find(name) == ours.end()) {
      faults.add(fmt::format("{} has no partner in {}", inputs.pictures[place].file, truth.path.string()));
    }
  }
  faults.refuse_any(truth.path.string(), inputs.path.string());
  return partners;
}

// So many times larger are pictures than their inputs.
int factor_of(const PhotographFolder& truth, const PhotographFolder& inputs, std::size_t partner) {
  const PictureFacts ours = picture_facts(truth.path / truth.pictures.front().file);
  const PictureFacts theirs = picture_facts(inputs.path / inputs.pictures[partner].file);
  return std::max(ours.width / std::max(theirs.width, 1), 1);
}

void check_sizes(const PhotographSet& truth, const DecodedFolder& inputs, const std::string& folder, int factor) {
  Faults faults;
  for (std::size_t place = 0; place < truth.folder.pictures.size(); ++place) {
    const DecodedPicture &ours = *truth.decoded.pictures[place], &theirs = *inputs.pictures[place];
    if (!theirs.fault.empty()) {
      faults.add(fmt::format("{}: {}", theirs.file, theirs.fault));
    } else if (ours.fault.empty() &&
               (ours.facts.width != factor * theirs.facts.width || ours.facts.height != factor * theirs.facts.height)) {
      faults.add(fmt::format("{} is {}x{}, but {} is {}x{}{}", ours.file, ours.facts.width, ours.facts.height,
                             theirs.file, theirs.facts.width, theirs.facts.height,
                             factor == 1 ? "" : fmt::format(", and pairs here are 1 to {}", factor)));
    }
  }
  faults.refuse_any(truth.folder.path.string(), folder);
}

std::string text_of(const PhotographSource& truth, const DecodedFolder& inputs) {
  std::uint32_t checksum = 0;
  for (std::int64_t row = 0; row < truth.count(); ++row) {
    const std::uint32_t pixels = inputs.pictures[truth.place(row)]->pixels;
    checksum = crc32c(std::as_bytes(std::span(&pixels, 1)), checksum);
  }
  const DecodedIndex& index = inputs.cache->index();
  return fmt::format("input {}x{}x{}, crc32c {:08x}", index.height, index.width, index.channels, checksum);
}

}  // namespace

PairedSource::PairedSource(std::unique_ptr<const PhotographSource> source, std::shared_ptr<const DecodedFolder> inputs)
    : InputSource(std::move(source)), inputs_(std::move(inputs)) {
  const DecodedIndex& index = inputs_->cache->index();
  add_field(picture_field(kInputField, index.height, index.width, index.channels));
  describe(text_of(dynamic_cast<const PhotographSource&>(truth()), *inputs_));
}

std::unique_ptr<const Source> PairedSource::over(std::unique_ptr<const Source> truth) const {
  const auto* photographs = dynamic_cast<const PhotographSource*>(truth.release());
  check(photographs != nullptr, "pairs: {} has no photographs", name());
  return std::make_unique<PairedSource>(std::unique_ptr<const PhotographSource>(photographs), inputs_);
}

void PairedSource::read_added(std::int64_t row, std::size_t, std::byte* to) const {
  const std::size_t place = dynamic_cast<const PhotographSource&>(truth()).place(row);
  inputs_->cache->read(inputs_->pictures[place]->row, to);
}

std::unique_ptr<const PairedSource> open_pairs(PhotographFolder truth, const std::string& inputs,
                                               const Options::Data& options, const DecodeSettings& settings) {
  const PhotographFolder theirs = scan_photographs(inputs);
  const std::vector<std::size_t> partners = match(truth, theirs);
  const int factor = truth.pictures.empty() ? 1 : factor_of(truth, theirs, partners.front());
  DecodeSettings of_inputs = settings;
  if (settings.form.height % factor != 0 || settings.form.width % factor != 0) {
    throw_error(Error::Kind::usage,
                "data.pairs: the pictures of {} are {} times as large as those of {}, so data.size = {}x{} must have "
                "sides that are multiples of it",
                truth.path.string(), factor, inputs, settings.form.width, settings.form.height);
  }
  of_inputs.form.height /= factor;
  of_inputs.form.width /= factor;
  std::unique_ptr<const PhotographSource> source = open_photographs(std::move(truth), options, settings);
  auto decoded = std::make_shared<DecodedFolder>(decode_photographs(theirs, of_inputs));
  const std::vector<const DecodedPicture*> all = std::exchange(decoded->pictures, {});
  for (const std::size_t partner : partners) {
    decoded->pictures.push_back(all[partner]);
  }
  check_sizes(source->set(), *decoded, inputs, factor);
  return std::make_unique<PairedSource>(std::move(source), std::move(decoded));
}

}  // namespace duel
