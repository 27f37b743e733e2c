#include "host/restore/restore_photographs.h"

#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/edges.h"
#include "host/pictures/png.h"
#include "host/pictures/resample.h"
#include "host/pictures/whole_photograph.h"
#include "host/restore/before_after.h"
#include "host/restore/missing_pixels.h"
#include "host/restore/restoration_files.h"
#include "host/restore/tiled_network.h"
#include "host/run/run_directory.h"
#include "host/sample/generate.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;
using Verb = RestorePhotographs::Verb;

void check_verb(const RestorePhotographs& request, const RestorerForm& form) {
  if (request.verb != Verb::translate && !form.restores) {
    throw_error(Error::Kind::usage,
                "{}: was trained to make pictures of others, not to restore them; `duel translate` does so",
                request.run);
  }
  if (request.verb == Verb::enlarge && form.scale == 1) {
    throw_error(Error::Kind::usage,
                "{}: was trained to repair photographs ({}) and keeps their size; `duel repair` does so, and `duel "
                "enlarge` needs a run of `duel train --preset enlarge`",
                request.run, form.degradation);
  }
  if (request.verb != Verb::enlarge && form.scale != 1) {
    const std::string_view verb = request.verb == Verb::repair ? "repair" : "translate",
                           preset = request.verb == Verb::repair ? "repair" : "pix2pix";
    throw_error(Error::Kind::usage,
                "{}: was trained to enlarge photographs {} times; `duel enlarge` does so, and `duel {}` needs a run of "
                "`duel train --preset {}`",
                request.run, form.scale, verb, preset);
  }
  if (!request.mask.empty() && !form.fills_holes()) {
    throw_error(
        Error::Kind::usage, "--mask {}: says which pixels are missing, but {} {} {}, where none are; {}", request.mask,
        request.run, form.jobs.empty() ? "was trained on" : "is to undo",
        form.jobs.empty() ? form.degradation : form.jobs[form.job],
        form.has_holes ? "choose the job that leaves holes with --job" : "train with --degrade strokes or hole:N");
  }
}

Picture with_alpha(const Picture& colours, const std::vector<std::uint8_t>& alpha) {
  Picture result{colours.height, colours.width, colours.channels + 1, {}};
  result.pixels.reserve(alpha.size() * result.channels);
  for (std::size_t pixel = 0; pixel < alpha.size(); ++pixel) {
    const auto* first = colours.pixels.data() + pixel * colours.channels;
    result.pixels.insert(result.pixels.end(), first, first + colours.channels);
    result.pixels.push_back(alpha[pixel]);
  }
  return result;
}

// The opacity of what comes of a photograph; empty where there is none.
std::vector<std::uint8_t> made_alpha(const WholePhotograph& photograph, const std::vector<std::uint8_t>& known,
                                     int scale, bool fills_alpha) {
  std::vector<std::uint8_t> alpha = photograph.alpha;
  if (alpha.empty()) {
    return alpha;
  }
  if (fills_alpha) {
    std::transform(alpha.begin(), alpha.end(), known.begin(), alpha.begin(),
                   [](std::uint8_t a, std::uint8_t k) { return k == 0 ? std::uint8_t{255} : a; });
    const bool is_opaque = std::all_of(alpha.begin(), alpha.end(), [](std::uint8_t a) { return a == 255; });
    return is_opaque ? std::vector<std::uint8_t>() : alpha;
  }
  if (scale > 1) {
    const int height = photograph.colours.height, width = photograph.colours.width;
    alpha = resampled({height, width, 1, std::move(alpha)}, {scale * height, scale * width}, ResampleFilter::bicubic)
                .pixels;
  }
  return alpha;
}

class Restoring {
public:
  Restoring(const RestorePhotographs& request, TiledNetwork& network) : request_(request), network_(network) {}

  RestoredPhotographs run(std::int64_t step) {
    const RestorerForm& form = network_.form();
    RestorationFiles plan = plan_restoration(request_.files, request_.out, form, request_.draws_sheets);
    if (!request_.mask.empty()) {
      mask_ = read_mask(request_.mask);
    }
    create_folder(request_.out);
    result_.step = step;
    sheets_ = plan.sheets;
    result_.scale = form.scale;
    result_.tile = network_.tile();
    result_.became = form.outputs == 1 ? "grey of 8 bits" : "sRGB of 8 bits";
    result_.skipped = std::move(plan.skipped);
    for (std::size_t i = 0; i < plan.files.size(); ++i) {
      restore(plan.files[i], plan.files.size() == 1 ? "" : fmt::format("{}/{} ", i + 1, plan.files.size()));
    }
    if (result_.pictures.empty()) {
      throw_error(Error::Kind::data, "{}: {}{}", result_.skipped.front().file, result_.skipped.front().reason,
                  result_.skipped.size() == 1
                      ? ""
                      : fmt::format("; none of the {} photographs can be taken", result_.skipped.size()));
    }
    draw_sheet();
    return std::move(result_);
  }

private:
  // Where a photograph is at fault, it is passed over.
  void restore(const RestorationFile& file, const std::string& place) {
    RestoredPhotograph restored{file.from.string(), file.to.string(), 0, 0, ""};
    std::string bytes;
    try {
      bytes = restored_bytes(file, place, restored);
    } catch (const Error& error) {
      if (error.kind() != Error::Kind::data) {
        throw;
      }
      result_.skipped.push_back({restored.file, reason_without_path(error.what(), file.from)});
      return;
    }
    create_folder(file.to.parent_path());
    write_file_atomically(file.to, bytes);
    result_.pictures.push_back(std::move(restored));
  }

  std::string restored_bytes(const RestorationFile& file, const std::string& place, RestoredPhotograph& restored) {
    const RestorerForm& form = network_.form();
    WholePhotograph photograph = read_whole_photograph(file.from);
    std::vector<std::uint8_t> known;
    if (form.fills_holes()) {
      known = known_pixels_of(photograph, file.from.string(), mask_ ? &*mask_ : nullptr);
    }
    const int colours = form.has_holes ? form.inputs - 1 : form.inputs;
    Picture given = colours == 1 ? luma_of(photograph.colours) : std::move(photograph.colours);
    photograph.colours = {given.height, given.width, 0, {}};  // of which only the extents are needed
    if (form.has_holes) {
      known.resize(static_cast<std::size_t>(given.height) * given.width, 255);
      given = with_missing_pixels(given, known);
    }
    restored.converted = converted_from(photograph.converted, colours);
    const std::string what = place + file.from.filename().string();
    Picture made = network_.restore(given, [&](std::int64_t done, std::int64_t count) {
      if (request_.progress) {
        request_.progress({what, done, count});
      }
    });
    if (request_.draws_sheets) {
      add_to_sheet(before_after(file.from.string(), given, made, form.scale));
    }
    given = {};
    const std::vector<std::uint8_t> alpha = made_alpha(photograph, known, form.scale, form.fills_holes() && !mask_);
    if (!alpha.empty()) {
      made = with_alpha(made, alpha);
    }
    restored.width = made.width;
    restored.height = made.height;
    return encode_photograph(made, file.format, *photograph.notes, file.from);
  }

  // What a photograph was, where what comes of it is something else. A network that is given grey makes what it makes
  // of any photograph.
  std::string converted_from(const std::string& was, int colours) const {
    if (colours == 3 || (was != "grey" && !was.empty())) {
      return was;
    }
    return was.empty() && network_.form().outputs == 1 ? "colour" : "";
  }

  void add_to_sheet(CaptionedRow row) {
    rows_.push_back(std::move(row));
    if (rows_.size() == kRowsOfSheet) {
      draw_sheet();
    }
  }

  void draw_sheet() {
    if (rows_.empty()) {
      return;
    }
    const fs::path& file = sheets_[result_.sheets.size()];
    write_png(file, captioned_sheet(fmt::format("{}, step {}", request_.run, result_.step), rows_));
    result_.sheets.push_back(file.string());
    rows_.clear();
  }

  const RestorePhotographs& request_;
  TiledNetwork& network_;
  std::optional<PixelMask> mask_;
  std::vector<fs::path> sheets_;
  RestoredPhotographs result_;
  std::vector<CaptionedRow> rows_;
};

}  // namespace

RestoredPhotographs restore_photographs(const RestorePhotographs& request) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  std::optional<TiledNetwork> network;
  const std::int64_t step = read_checkpoint_of(run, request.step, [&](const fs::path& checkpoint) {
    network.emplace(context, run, checkpoint, request.tile, request.job);
  });
  check_verb(request, network->form());
  return Restoring(request, *network).run(step);
}

}  // namespace duel
