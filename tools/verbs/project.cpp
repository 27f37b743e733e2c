// `duel project`: photographs found again in the latents of a generator.
#include "host/latents/project.h"

#include "host/latents/projection_text.h"
#include "host/run/interrupt.h"
#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json decibels(double psnr) {  // JSON has no infinity: of equal pictures null
  return std::isfinite(psnr) ? Json(psnr) : Json(nullptr);
}

Json to_json(const ProjectedPicture& picture) {
  Json starts = Json::array(), nearest = Json::array();
  for (const ProjectionStart& start : picture.starts) {
    starts.push_back({{"start", start.number},
                      {"class", start.class_name},
                      {"loss", start.loss},
                      {"psnr", decibels(start.psnr)},
                      {"features", start.features},
                      {"length", start.length}});
  }
  for (const ProjectionNeighbour& each : picture.nearest) {
    nearest.push_back(
        {{"row", each.row}, {"file", each.file}, {"mirrored", each.is_mirrored}, {"psnr", decibels(each.psnr)}});
  }
  return {{"file", picture.file},
          {"sheet", picture.name + ".png"},
          {"fold", picture.fold},
          {"psnr", decibels(picture.starts.front().psnr)},
          {"class", picture.starts.front().class_name},
          {"mean_psnr", picture.mean_psnr ? decibels(*picture.mean_psnr) : Json(nullptr)},
          {"nearest", nearest},
          {"starts", starts}};
}

Json to_json(const Projection& projection, const std::string& out) {
  Json pictures = Json::array(), unread = Json::array();
  for (const ProjectedPicture& each : projection.pictures) {
    pictures.push_back(to_json(each));
  }
  for (const SkippedFile& each : projection.unread) {
    unread.push_back({{"file", each.file}, {"reason", each.reason}});
  }
  return {{"run", projection.run},
          {"step", projection.step},
          {"weights", projection.weights},
          {"latent", projection.latent},
          {"features", projection.features},
          {"data", projection.data},
          {"out", out},
          {"pictures", pictures},
          {"unread", unread},
          {"memorisation", projection.comparison},
          {"notes", projection.notes},
          {"seconds", projection.seconds}};
}

// One line at a terminal, rewritten.
std::function<void(int, int)> show_starts() {
  if (::isatty(STDERR_FILENO) == 0) {
    return {};
  }
  return [](int done, int all) {
    fmt::print(stderr, "\r{} of {} starts{}", done, all, done == all ? "\r\033[K" : "");
    std::fflush(stderr);
  };
}

}  // namespace

void add_project(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("project", "Find photographs again in the latents of a run's generator");
  auto request = std::make_shared<ProjectionRequest>();
  auto step = std::make_shared<StepFlag>();
  auto device = std::make_shared<DeviceFlags>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("photographs", request->photographs,
                   "pictures and folders of them, brought to the run's size as its data were");
  add_text(*verb, "--run", request->run, "folder of the run")->required();
  add_text(*verb, "--out", request->out, "new folder: a sheet for each picture, and latents.safetensors")->required();
  add_integer(*verb, "--training", request->training, 1, kMostProjected,
              "so many of the pictures that the run was trained on, evenly over them");
  add_integer(*verb, "--held-out", request->held_out, 1, kMostProjected,
              "the same of those that its data keep out of training");
  add_integer(*verb, "--starts", request->starts, 1, kMostStarts,
              "latents to begin at, for each class; 8 where it is not given");
  add_integer(*verb, "--steps", request->steps, 1, kMostProjectorSteps, "of Adam; 300 where it is not given");
  add_text(*verb, "--class", request->class_name,
           "of a run by class: its name, or auto to try all, as is done for what has no label");
  add_text(*verb, "--features", request->features,
           "classifier:RUN, a run of --preset classify: compare its features beside the pixels");
  add_integer(*verb, "--seed", request->seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
              "of the starts: the same seed gives the same bytes");
  step->declare(*verb);
  verb->add_flag("--raw", request->raw, "the generator as trained, not its moving average");
  device->declare(*verb);
  verb->add_flag("--json", *json, "for programs");
  verb->callback([request, step, device, json, &exit_code] {
    request->step = step->resolve(request->run);
    request->where = device->resolve();
    request->progress = show_decoding();
    request->on_rows = show_starts();
    const std::optional<Projection> projection = project(*request);
    if (!projection) {
      exit_code = kInterruptedExitCode;
      return;
    }
    // Names of files need not be UTF-8; what is not becomes U+FFFD.
    fmt::print("{}", *json
                         ? to_json(*projection, request->out).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                         : to_text(*projection));
    exit_code = projection->unread.empty() ? 0 : static_cast<int>(Error::Kind::data);
  });
}

}  // namespace duel
