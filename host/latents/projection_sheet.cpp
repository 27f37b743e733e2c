#include "host/latents/projection_sheet.h"

#include "host/pictures/captioned_sheet.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>

namespace duel {

namespace {

std::string decibels(double psnr) {
  return std::isinf(psnr) ? "the same" : fmt::format("{:.1f} dB", psnr);
}

// A file's name without its folders, which say little and are long.
std::string short_name(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

CaptionedPicture captioned_start(const ProjectionStart& start, const Picture& picture) {
  CaptionedPicture result{picture, {fmt::format("start {}: {}", start.number, decibels(start.psnr))}};
  if (!start.class_name.empty()) {
    result.lines.push_back(start.class_name);
  }
  return result;
}

CaptionedPicture captioned_neighbour(const TrainingNeighbour& neighbour) {
  return {
      neighbour.picture,
      {decibels(neighbour.psnr), fmt::format("row {}{}", neighbour.row, neighbour.is_mirrored ? ", mirrored" : "")}};
}

CaptionedRow found_row(const ProjectionSheet& sheet) {
  const ProjectionStart& best = sheet.projected.starts.front();
  CaptionedRow row{"The picture; what was found; the training pictures nearest to it; the mean of all", {}};
  if (sheet.nearest.empty()) {
    row.heading = "The picture; what was found";
  }
  row.pictures.push_back({sheet.target.picture, {"the picture", sheet.projected.fold}});
  row.pictures.push_back({sheet.starts.front(), {"found: " + decibels(best.psnr), best.class_name}});
  for (const TrainingNeighbour& each : sheet.nearest) {
    row.pictures.push_back(captioned_neighbour(each));
  }
  if (sheet.mean) {
    row.pictures.push_back({*sheet.mean, {decibels(*sheet.projected.mean_psnr), "mean"}});
  }
  return row;
}

// Towards the latent 0, the mean of all.
CaptionedRow shrunk_row(LatentRun& run, const ProjectionSheet& sheet) {
  constexpr std::array kShares = {1.0F, 0.8F, 0.6F, 0.4F, 0.2F, 0.0F};
  std::vector<float> latents, classes;
  for (const float share : kShares) {
    for (const float number : sheet.latent) {
      latents.push_back(share * number);
    }
    classes.insert(classes.end(), sheet.classes.begin(), sheet.classes.end());
  }
  const std::vector<Picture> pictures = run.draw(latents, classes);
  CaptionedRow row{"Its latent on the way to the mean latent, 0", {}};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    row.pictures.push_back({pictures[i], {fmt::format("times {:.1f}", kShares[i])}});
  }
  return row;
}

CaptionedRow class_row(LatentRun& run, const ProjectionSheet& sheet) {
  const std::vector<std::string>& names = run.classes();
  std::vector<float> latents, classes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    latents.insert(latents.end(), sheet.latent.begin(), sheet.latent.end());
    std::vector<float> shares(names.size());
    shares[i] = 1;
    classes.insert(classes.end(), shares.begin(), shares.end());
  }
  const std::vector<Picture> pictures = run.draw(latents, classes);
  CaptionedRow row{"The same latent as each class", {}};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    row.pictures.push_back({pictures[i], {names[i]}});
  }
  return row;
}

}  // namespace

Picture projection_sheet(LatentRun& run, const ProjectionSheet& sheet) {
  constexpr std::size_t kInRow = 8;
  std::vector<CaptionedRow> rows = {found_row(sheet)};
  const std::vector<ProjectionStart>& starts = sheet.projected.starts;
  for (std::size_t first = 0; first < std::min(starts.size(), 3 * kInRow); first += kInRow) {
    CaptionedRow& row = rows.emplace_back();
    row.heading = first == 0 ? fmt::format("The starts, the least loss first ({} of {})",
                                           std::min(starts.size(), 3 * kInRow), starts.size())
                             : "";
    for (std::size_t i = first; i < std::min(first + kInRow, starts.size()); ++i) {
      row.pictures.push_back(captioned_start(starts[i], sheet.starts[i]));
    }
  }
  rows.push_back(shrunk_row(run, sheet));
  if (run.classes().size() > 1) {
    rows.push_back(class_row(run, sheet));
  }
  return captioned_sheet(fmt::format("{} in {}, step {}", short_name(sheet.projected.file), run.name(), run.step()),
                         rows);
}

Picture projection_overview(const std::vector<ProjectionSheet>& sheets, const std::string& title) {
  std::vector<CaptionedRow> rows;
  for (const ProjectionSheet& sheet : sheets) {
    CaptionedRow row = found_row(sheet);
    row.heading = short_name(sheet.projected.file);
    for (std::size_t i = 1; i < std::min<std::size_t>(sheet.starts.size(), 4); ++i) {
      row.pictures.insert(row.pictures.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          captioned_start(sheet.projected.starts[i], sheet.starts[i]));
    }
    rows.push_back(std::move(row));
  }
  return captioned_sheet(title, rows);
}

}  // namespace duel
