#include "host/latents/explore.h"

#include "host/files/atomic_file.h"
#include "host/files/safetensors.h"
#include "host/latents/directions.h"
#include "host/latents/empty_place.h"
#include "host/latents/latent_run.h"
#include "host/pictures/captioned_sheet.h"
#include "host/pictures/decode.h"
#include "host/pictures/gif.h"
#include "host/run/interrupt.h"
#include "host/sample/class_choice.h"
#include "host/sample/latents.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <utility>

namespace duel {

namespace {

constexpr int kFeatureRows = 2048;  // latents that principal components are found of
constexpr int kStops = 7;           // pictures of a direction, and of a mix
constexpr std::size_t kMostClasses = 10;
constexpr int kFrameMilliseconds = 80;

void check_request(const ExplorationRequest& request) {
  if (request.way != "slerp" && request.way != "linear") {
    throw_error(Error::Kind::usage, "--way {}: must be slerp or linear", request.way);
  }
}

class Explorer {
public:
  Explorer(const ExplorationRequest& request, LatentRun& run, const std::filesystem::path& folder)
      : request_(request),
        run_(run),
        folder_(folder),
        classes_(run.classes().size()),
        width_(static_cast<std::size_t>(run.latent())),
        latents_(run.sampled(request.seed, std::max(request.ways, 4))) {
    for (float& number : latents_) {
      number *= static_cast<float>(request.truncation);
    }
    if (!request.class_name.empty()) {
      ClassRequest asked;
      asked.names = {request.class_name};
      const std::vector<std::vector<float>> shares = class_shares(asked, run.classes(), request.run);
      if (shares.size() > 1) {
        throw_error(Error::Kind::usage, "--class {}: is {} classes, where one is taken", request.class_name,
                    shares.size());
      }
      class_ = static_cast<std::size_t>(std::max_element(shares[0].begin(), shares[0].end()) - shares[0].begin());
    }
    result_.run = request.run;
    result_.step = run.step();
    result_.weights = run.weights();
    result_.latent = run.latent();
  }

  // None where a signal came.
  std::optional<Exploration> explore() {
    for (const auto part : {&Explorer::write_directions, &Explorer::write_truncation, &Explorer::write_way,
                            &Explorer::write_class_mixes}) {
      (this->*part)();
      if (InterruptGuard::requested()) {
        return std::nullopt;
      }
    }
    if (classes_ > kMostClasses) {
      result_.notes.push_back(fmt::format("the first {} of {} classes are shown", kMostClasses, classes_));
    }
    if (!can_decode_photographs()) {
      result_.notes.emplace_back("this program was built without libvips, so the sheets have no words");
    }
    return std::move(result_);
  }

private:
  std::span<const float> latent(std::size_t i) const { return std::span(latents_).subspan(i * width_, width_); }

  std::vector<float> whole(std::size_t its) const {
    std::vector<float> shares(classes_);
    if (classes_ > 0) {
      shares[its] = 1;
    }
    return shares;
  }

  // Rows of latents, each with these shares.
  std::vector<Picture> draw(const std::vector<float>& latents, const std::vector<float>& shares) {
    std::vector<float> all;
    for (std::size_t i = 0; i < latents.size() / width_; ++i) {
      all.insert(all.end(), shares.begin(), shares.end());
    }
    return run_.draw(latents, all);
  }

  std::string title(const std::string& what) const {
    const std::string its = classes_ == 0 ? "" : ", " + run_.classes()[class_];
    return fmt::format("{} of {}, step {}{}", what, run_.name(), run_.step(), its);
  }

  void write_sheet(const std::string& name, const std::string& title, const std::vector<CaptionedRow>& rows) {
    write_png(folder_ / name, captioned_sheet(title, rows));
    result_.files.push_back(name);
  }

  void write_directions() {
    FirstLayer layer(run_.context(), run_.model(), run_.block());
    result_.layer = layer.place();
    const FirstLayer::Matrix matrix = layer.matrix();
    const std::vector<LatentDirection> sefa =
        sefa_directions(matrix.values.data(), layer.latent(), matrix.outputs, request_.directions);
    // Of another seed than the pictures are; all of the class that is shown, or classes would be the first components.
    const std::vector<float> drawn = run_.sampled(~request_.seed, kFeatureRows);
    std::vector<float> shares;
    for (std::size_t i = 0; i < kFeatureRows && classes_ > 0; ++i) {
      const std::vector<float> its = whole(class_);
      shares.insert(shares.end(), its.begin(), its.end());
    }
    const FirstLayer::Rows features = layer.features(drawn, shares);
    const std::vector<LatentDirection> pca =
        pca_directions(drawn, features.values, run_.latent(), features.width, request_.directions);
    write_kind("sefa", "SeFa: eigenvectors of the first layer", sefa);
    write_kind("pca", "Principal components of the first layer's features", pca);
    save_directions(sefa, pca);
  }

  void write_kind(const std::string& name, const std::string& words, const std::vector<LatentDirection>& directions) {
    std::vector<CaptionedRow> rows;
    Exploration::Kind& kind = result_.kinds.emplace_back();
    kind.name = name;
    for (std::size_t i = 0; i < directions.size(); ++i) {
      kind.shares.push_back(directions[i].share);
      std::vector<float> latents;
      std::array<double, kStops> stops{};
      for (int stop = 0; stop < kStops; ++stop) {
        stops[static_cast<std::size_t>(stop)] = request_.span * (2.0 * stop / (kStops - 1) - 1);
        for (std::size_t j = 0; j < width_; ++j) {
          latents.push_back(latent(0)[j] +
                            static_cast<float>(stops[static_cast<std::size_t>(stop)]) * directions[i].unit[j]);
        }
      }
      const std::vector<Picture> pictures = draw(latents, whole(class_));
      CaptionedRow& row = rows.emplace_back();
      row.heading = fmt::format("direction {}, {:.1f} %", i + 1, 100 * directions[i].share);
      for (std::size_t stop = 0; stop < kStops; ++stop) {
        row.pictures.push_back({pictures[stop], {}});
        if (i + 1 == directions.size()) {
          row.pictures.back().lines = {stops[stop] == 0 ? "0" : fmt::format("{:+.1f} sigma", stops[stop])};
        }
      }
    }
    write_sheet(name + ".png", title(words), rows);
  }

  void save_directions(const std::vector<LatentDirection>& sefa, const std::vector<LatentDirection>& pca) {
    const auto all = [](const std::vector<LatentDirection>& directions) {
      std::vector<float> values;
      for (const LatentDirection& each : directions) {
        values.insert(values.end(), each.unit.begin(), each.unit.end());
      }
      return values;
    };
    const std::vector<float> of_sefa = all(sefa), of_pca = all(pca);
    const auto tensor = [&](const char* name, const std::vector<float>& values) {
      return NamedTensor{
          name, DType::f32, {std::ssize(values) / run_.latent(), run_.latent()}, std::as_bytes(std::span(values))};
    };
    const std::array tensors = {tensor("sefa", of_sefa), tensor("pca", of_pca)};
    write_safetensors(folder_ / "directions.safetensors", tensors,
                      {{"run", run_.name()},
                       {"step", fmt::format("{}", run_.step())},
                       {"weights", run_.weights()},
                       {"layer", result_.layer}});
    result_.files.emplace_back("directions.safetensors");
  }

  void write_truncation() {
    constexpr std::array kShares = {0.0F, 0.25F, 0.5F, 0.75F, 1.0F, 1.25F};
    std::vector<CaptionedRow> rows;
    for (std::size_t i = 0; i < 4; ++i) {
      std::vector<float> latents;
      for (const float share : kShares) {
        for (const float number : latent(i)) {
          latents.push_back(share * number);
        }
      }
      const std::vector<Picture> pictures = draw(latents, whole(class_));
      CaptionedRow& row = rows.emplace_back();
      row.heading = fmt::format("latent {}", i);
      for (std::size_t j = 0; j < pictures.size(); ++j) {
        row.pictures.push_back({pictures[j], {fmt::format("times {:.2f}", kShares[j])}});
      }
    }
    write_sheet("truncation.png", title("Latents multiplied by a number"), rows);
  }

  std::vector<float> between(std::size_t from, std::size_t to, double t) const {
    const std::span<const float> a = latent(from), b = latent(to);
    if (request_.way == "slerp") {
      return slerp(a, b, t);
    }
    std::vector<float> point;
    for (std::size_t i = 0; i < width_; ++i) {
      point.push_back(static_cast<float>((1 - t) * a[i] + t * b[i]));
    }
    return point;
  }

  // Classes that are shown beside each other; one place where there are none.
  std::vector<std::size_t> shown_classes() const {
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < std::clamp<std::size_t>(classes_, 1, kMostClasses); ++i) {
      shown.push_back(i);
    }
    return shown;
  }

  void write_way() {
    std::vector<float> latents;  // a round trip
    const auto ways = static_cast<std::size_t>(request_.ways);
    for (std::size_t leg = 0; leg < ways; ++leg) {
      for (int frame = 0; frame < request_.frames; ++frame) {
        const std::vector<float> point = between(leg, (leg + 1) % ways, static_cast<double>(frame) / request_.frames);
        latents.insert(latents.end(), point.begin(), point.end());
      }
    }
    std::vector<std::vector<Picture>> by_class;
    std::vector<CaptionedRow> rows;
    for (const std::size_t its : shown_classes()) {
      by_class.push_back(draw(latents, whole(its)));
      CaptionedRow& row = rows.emplace_back();
      row.heading = classes_ == 0 ? "" : run_.classes()[its];
      for (int stop = 0; stop <= 8; ++stop) {  // from the first latent to the second
        const auto place = static_cast<std::size_t>(stop * request_.frames / 8) % by_class.back().size();
        row.pictures.push_back({by_class.back()[place], {}});
      }
    }
    write_sheet("way.png",
                fmt::format("From one latent to the next ({}) in {}, step {}", request_.way, run_.name(), run_.step()),
                rows);
    if (const std::string reason = why_no_gif(); !reason.empty()) {
      result_.notes.push_back(fmt::format("way.gif was not written, for {}", reason));
      return;
    }
    std::vector<Picture> frames;
    const std::size_t columns = std::min<std::size_t>(by_class.size(), 5);
    for (std::size_t frame = 0; frame < by_class[0].size(); ++frame) {
      std::vector<CaptionedRow> grid;
      for (std::size_t i = 0; i < by_class.size(); ++i) {
        if (i % columns == 0) {
          grid.emplace_back();
        }
        CaptionedPicture& its = grid.back().pictures.emplace_back();
        its.picture = by_class[i][frame];
        if (classes_ > 0) {
          its.lines = {run_.classes()[i]};
        }
      }
      frames.push_back(captioned_sheet("", grid));
    }
    write_gif(folder_ / "way.gif", frames, kFrameMilliseconds);
    result_.files.emplace_back("way.gif");
  }

  void write_class_mixes() {
    if (classes_ < 2) {
      return;
    }
    std::vector<CaptionedRow> rows;
    const std::vector<std::size_t> shown = shown_classes();
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const std::size_t from = shown[i], to = shown[(i + 1) % shown.size()];
      std::vector<float> latents, shares;
      for (int stop = 0; stop < kStops; ++stop) {
        const float share = static_cast<float>(stop) / (kStops - 1);
        std::vector<float> mix(classes_);
        mix[from] += 1 - share;
        mix[to] += share;
        latents.insert(latents.end(), latent(0).begin(), latent(0).end());
        shares.insert(shares.end(), mix.begin(), mix.end());
      }
      const std::vector<Picture> pictures = run_.draw(latents, shares);
      CaptionedRow& row = rows.emplace_back();
      row.heading = fmt::format("{} to {}", run_.classes()[from], run_.classes()[to]);
      for (const Picture& each : pictures) {
        row.pictures.push_back({each, {}});
      }
    }
    write_sheet("class_mixes.png", fmt::format("One latent between classes in {}, step {}", run_.name(), run_.step()),
                rows);
  }

  const ExplorationRequest& request_;
  LatentRun& run_;
  const std::filesystem::path& folder_;
  std::size_t classes_, width_, class_ = 0;
  std::vector<float> latents_;  // that pictures are drawn from
  Exploration result_;
};

}  // namespace

std::optional<Exploration> explore(const ExplorationRequest& request) {
  check_request(request);
  const std::filesystem::path out = empty_place(request.out);
  LatentRun run({request.run, request.step, request.raw, request.where});
  const InterruptGuard guard;
  AtomicFolder folder(out);
  std::optional<Exploration> result = Explorer(request, run, folder.path()).explore();
  if (result) {
    folder.publish();
  }
  return result;
}

std::string to_text(const Exploration& exploration, const std::string& out) {
  std::string text = fmt::format("{}, step {}, weights {}: latents of {} numbers; directions of {}\n", exploration.run,
                                 exploration.step, exploration.weights, exploration.latent, exploration.layer);
  for (const Exploration::Kind& kind : exploration.kinds) {
    text += fmt::format("{:<5}", kind.name);
    for (const double share : kind.shares) {
      text += fmt::format(" {:5.1f} %", 100 * share);
    }
    text += "\n";
  }
  for (const std::string& file : exploration.files) {
    text += fmt::format("{}/{}\n", out, file);
  }
  for (const std::string& note : exploration.notes) {
    text += fmt::format("note: {}\n", note);
  }
  return text;
}

}  // namespace duel
