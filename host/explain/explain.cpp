#include "host/explain/explain.h"

#include "host/data/confusion.h"
#include "host/device/device.h"
#include "host/explain/curve_sheet.h"
#include "host/explain/explained_network.h"
#include "host/explain/map_trial.h"
#include "host/explain/picture_maps.h"
#include "host/explain/picture_sheet.h"
#include "host/explain/unit_pictures.h"
#include "host/files/atomic_file.h"
#include "host/sample/picture_files.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

namespace duel {

namespace {

void check_out(const std::string& out) {
  std::error_code failure;
  if (std::filesystem::exists(out, failure) && !std::filesystem::is_directory(out, failure)) {
    throw_error(Error::Kind::usage, "--out {}: is a file; name a folder for the sheets", out);
  }
  create_folder(out);
  const AtomicFile trial(std::filesystem::path(out) / "explanations.json");  // or it says why it cannot be written
}

void check_request(const ExplainRequest& request) {
  if (request.files.empty() && request.has_units) {
    throw_error(Error::Kind::usage, "--units: are of pictures; name files or folders");
  }
  if (request.files.empty() && request.curves == 0) {
    throw_error(Error::Kind::usage, "explain: nothing says which pictures; name files or folders");
  }
}

// The file's name without its folders and ending, in letters that any file system takes.
std::string sheet_name(std::size_t place, const std::string& file) {
  std::string name = std::filesystem::path(file).filename().string();
  if (name.find('#') == std::string::npos) {  // no row of an IDX file
    name = name.substr(0, name.find_last_of('.'));
  }
  for (char& letter : name) {
    if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '-' && letter != '_') {
      letter = '_';
    }
  }
  return fmt::format("{:03}_{}.png", place + 1, name);
}

class Explainer {
public:
  Explainer(const ExplainRequest& request, Context& context, const ExplainedNetwork& its)
      : request_(request),
        context_(context),
        its_(its),
        network_(context, its.loaded->model(), its.block, Derivatives::taken) {
    result_.run = request.run;
    result_.network = its.name;
    result_.step = its.step;
    result_.weights = its.weights;
    result_.names = its.names;
    result_.told = its.told();
    result_.smoothing = request.smoothing;
    result_.integration = request.integration;
    if (has_map()) {
      result_.map = {network_.map()[1], network_.map()[2], network_.map()[3]};
    }
    result_.methods = chosen_methods();
    if (request.has_units) {
      check_map("--units");
      units_.emplace(context, its.loaded->model(), its.block);
    }
  }

  Explained run() {
    const std::filesystem::path out = request_.out;
    if (!request_.files.empty()) {
      explain_files();
      write_file_atomically(out / "explanations.csv", to_csv(result_));
    }
    if (units_) {
      result_.units = units_->units();
      write_png(out / "units.png", units_->draw(context_, result_.units));
      write_file_atomically(out / "units.csv", units_to_csv(result_));
    }
    if (request_.curves > 0) {
      const TrialPictures pictures = trial_pictures(request_, its_);
      result_.tested_on = pictures.name;
      result_.tested = try_maps(context_, request_, its_, network_, result_.methods, pictures);
      write_png(out / "curves.png", draw_curves(result_));
    }
    write_file_atomically(out / "explanations.json", to_json(result_) + "\n");
    return std::move(result_);
  }

private:
  bool has_map() const { return network_.map().rank() == 4; }

  void check_map(const std::string& option) const {
    if (!has_map()) {
      throw_error(Error::Kind::usage, "{}: the {} of {} has no map, since no layer of it keeps places", option,
                  its_.name, request_.run);
    }
  }

  std::vector<Method> chosen_methods() const {
    const std::vector<Method>& named = request_.methods;
    std::vector<Method> methods;
    for (const Method method : kMethods) {
      const bool is_named = std::find(named.begin(), named.end(), method) != named.end();
      if (is_named && method == Method::grad_cam) {
        check_map("--methods grad-cam");
      }
      if (is_named || (named.empty() && (method != Method::grad_cam || has_map()))) {
        methods.push_back(method);
      }
    }
    return methods;
  }

  void explain_files() {
    PictureFiles files(request_.files, taken_pictures(its_.options, network_.picture()));
    files.read(AnsweringNetwork::kRows, [&](std::span<const std::string> names, std::span<const std::uint8_t> pixels) {
      explain_some(names, pixels);
    });
    result_.unread = files.unread();
  }

  Question question_of(std::span<const float> logits) const {
    return its_.is_of_judge() ? Question{0, its_.asked.value_or(0)}
                              : Question{its_.asked.value_or(static_cast<int>(largest(logits))), 0};
  }

  void explain_some(std::span<const std::string> names, std::span<const std::uint8_t> pixels) {
    const std::vector<float> values = in_range(pixels);
    std::vector<Question> asked(names.size(), {0, its_.asked.value_or(0)});
    const auto width = static_cast<std::size_t>(network_.logits());
    const std::vector<float> logits = logits_of(context_, network_, {values, asked});
    const auto logits_of_row = [&](std::size_t i) { return std::span(logits).subspan(i * width, width); };
    for (std::size_t i = 0; i < names.size(); ++i) {
      asked[i] = question_of(logits_of_row(i));
    }
    std::vector<PictureMaps> maps;
    for (const Method method : result_.methods) {
      maps.push_back(maps_of(context_, network_, method, {values, asked}, request_.smoothing, request_.integration));
    }
    const auto size = static_cast<std::size_t>(network_.picture().count());
    for (std::size_t i = 0; i < names.size(); ++i) {
      ExplainedPicture picture;
      picture.file = names[i];
      picture.sheet = sheet_name(result_.pictures.size(), names[i]);
      picture.asked = asked[i].logit;
      picture.logit = static_cast<double>(logits_of_row(i)[static_cast<std::size_t>(picture.asked)]);
      picture.probabilities = its_.probabilities(logits_of_row(i));
      take_figures(picture, maps, i);
      write_png(
          std::filesystem::path(request_.out) / picture.sheet,
          draw_picture_sheet(result_, picture, std::span(values).subspan(i * size, size), network_.picture(), maps, i));
      result_.pictures.push_back(std::move(picture));
    }
    if (units_) {
      units_->add(context_, pixels, asked);
    }
  }

  void take_figures(ExplainedPicture& picture, const std::vector<PictureMaps>& maps, std::size_t i) const {
    const Shape& shape = network_.picture();
    const auto pixels = static_cast<std::size_t>(shape.count() / shape.back());
    for (const PictureMaps& each : maps) {
      picture.maps.push_back(figures_of(each.method, std::span(each.values).subspan(i * pixels, pixels), shape[2]));
      if (!each.completeness.empty()) {
        picture.completeness = each.completeness[i];
      }
    }
  }

  const ExplainRequest& request_;
  Context& context_;
  const ExplainedNetwork& its_;
  AnsweringNetwork network_;
  Explained result_;
  std::optional<UnitPictures> units_;
};

}  // namespace

Explained explain(const ExplainRequest& request) {
  check_request(request);
  Context context = make_context(request.where);
  const ExplainedNetwork network = load_explained(request, context);
  if (request.curves > 0 && (network.is_of_judge() || network.is_of_tags())) {
    throw_error(Error::Kind::usage, "--curves: are of classes with labels, but {} {}", request.run,
                network.is_of_judge() ? "judges whether pictures are real" : "tells tags");
  }
  check_out(request.out);
  return Explainer(request, context, network).run();
}

}  // namespace duel
