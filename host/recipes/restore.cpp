#include "host/recipes/restore.h"

#include "engine/nn/difference.h"
#include "engine/nn/enlarge.h"
#include "engine/ops/ops.h"
#include "host/config/degradation.h"
#include "host/data/degraded_source.h"
#include "host/data/draw_purpose.h"
#include "host/data/restoration_scores.h"
#include "host/device/default_threads.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/fields.h"
#include "host/recipes/job_map.h"
#include "host/recipes/patch_adversary.h"
#include "host/recipes/perceptual_distance.h"
#include "host/recipes/restore_networks.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace duel {

namespace {

constexpr const char* kName = "restore";
constexpr const char* kPairs = "pairs";  // the draw
constexpr const char* kHoles = "holes";
constexpr const char* kJobs = "jobs";
constexpr double kFromZeroToOne = 0.25;  // of a squared error: a picture in 0..1 is (x + 1) / 2

const Field& input_of(const Fields& fields) {
  const auto main = fields.find("main");
  const bool has_input =
      main != fields.end() && std::any_of(main->second.begin(), main->second.end(),
                                          [](const Field& field) { return field.name == kInputField; });
  if (!has_input) {
    throw_error(Error::Kind::usage,
                "recipe restore: nothing says what pictures are to be made of; give --degrade KIND, such as x2 or "
                "noise:25 (data.degrade), or --pairs FOLDER (data.pairs)");
  }
  return field_of(fields, "main", kInputField, kName);
}

class Restore : public Recipe {
public:
  Restore(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options),
        steps_(steps),
        degradation_(degradation_of(options.data.degrade)),
        input_(input_of(fields)),
        picture_(field_of(fields, "main", "picture", kName)),
        job_(knows_jobs() ? field_of(fields, "main", kJobField, kName) : Field{}),
        scale_(restoration_scale(input_, picture_)),
        adversary_(options, steps, of_parts(picture_, scale_).shape, degradation_.has_holes() ? 1 : input_.shape[3]),
        perceptual_(options, picture_, steps) {
    if (options.data.labels) {
      throw_error(Error::Kind::usage, "recipe restore: learns nothing by class, so data.labels must be false");
    }
    check_crop();
    make_restorer(options_, of_parts(input_, 1), of_parts(picture_, scale_));
    make_restorer(options_, input_, picture_);
  }

  std::string name() const override { return kName; }

  std::vector<NamedNetwork> make_networks() const override {
    std::vector<NamedNetwork> networks;
    networks.push_back({make_restorer(options_, input_, picture_), true, true});
    if (adversary_.is_on()) {
      networks.push_back(adversary_.make_network());
    }
    if (perceptual_.is_on()) {
      networks.push_back(perceptual_.make_network());
    }
    return networks;
  }

  std::vector<Pretrained> pretrained() const override { return perceptual_.pretrained(); }

  std::vector<Phase> phases() const override {
    std::vector<Phase> phases =
        adversary_.phases([this](StepRecorder& r, const std::string& prefix) { return made_pictures(r, prefix); });
    phases.push_back({"main", {kRestorer}, [this](StepRecorder& r) { record(r); }});
    return phases;
  }

  std::vector<DrawnField> batches() const override {
    std::vector<DrawnField> batches;
    std::vector<std::string> prefixes = adversary_.prefixes();
    prefixes.emplace_back("");
    for (const std::string& prefix : prefixes) {
      batches.push_back({prefix + kPairs, "main", "picture"});
      if (!degradation_.is_drawn()) {
        batches.push_back({prefix + kPairs, "main", kInputField});
      }
      if (degradation_.has_holes()) {
        batches.push_back({prefix + kHoles, "main", kKnownField});
      }
      if (knows_jobs()) {
        batches.push_back({prefix + kJobs, "main", kJobField});
      }
      for (const Degradation& job : degradation_.jobs) {
        if (!job.is_drawn()) {
          batches.push_back({prefix + kPairs, "main", input_field_of(job)});
        }
      }
    }
    return batches;
  }

  std::vector<std::string> metrics() const override {
    std::vector<std::string> names = {loss_name()};
    if (has_parts()) {
      names.emplace_back("restoration");
    }
    if (perceptual_.is_on()) {
      names.emplace_back("perceptual");
    }
    names.insert(names.end(), {"psnr", norm_name()});
    const std::vector<std::string> its = adversary_.metrics();
    names.insert(names.end(), its.begin(), its.end());
    return names;
  }

  Sampling sampling() const override {
    Sampling sampling;
    sampling.inputs = {input_};
    if (knows_jobs()) {
      sampling.inputs.push_back(job_);
    }
    sampling.outputs = {picture_};
    sampling.networks = {kRestorer};
    sampling.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kRestorer, {inputs.begin(), inputs.end()});
    };
    return sampling;
  }

  std::optional<Sampling> translation() const override { return sampling(); }

  std::optional<HeldOutMeasure> held_out() const override {
    HeldOutMeasure measure;
    measure.sampling = sampling();
    measure.needed = {"picture"};
    measure.metrics = {"held_out_psnr"};
    const bool has_ssim = std::min(picture_.shape[1], picture_.shape[2]) >= kSsimWindow;
    if (has_ssim) {
      measure.metrics.push_back("held_out_ssim");
    }
    const bool has_holes = input_.shape[3] == picture_.shape[3] + 1;
    if (has_holes) {
      measure.metrics.push_back("held_out_missing");
    }
    measure.reduce = [shape = picture_.shape](const Source& rows, std::int64_t row,
                                              std::span<const std::span<const float>> outputs) {
      const PictureScore its = score_picture(rows, row, to_picture(outputs[0], shape[1], shape[2], shape[3]));
      return to_floats(its);
    };
    measure.summarize = [has_ssim, has_holes](const Source&, HeldOutMeasure::Rows outputs) {
      const PictureScore mean = mean_of(from_floats(outputs[0]));
      std::vector<double> numbers = {mean.psnr};
      if (has_ssim) {
        numbers.push_back(mean.ssim);
      }
      if (has_holes) {
        numbers.push_back(mean.missing);
      }
      return numbers;
    };
    measure.report = [](const Source& rows, HeldOutMeasure::Rows outputs) {
      return to_text(restoration_scores(rows, from_floats(outputs[0]), default_threads().threads));
    };
    return measure;
  }

private:
  void check_crop() const {
    const int crop = options_.data.crop;
    if (crop > std::min(picture_.shape[1], picture_.shape[2])) {
      throw_error(Error::Kind::usage,
                  "data.crop = {}: is more than a side of the pictures, which are {}x{} (width, height); choose a "
                  "smaller one, 0 for whole pictures, or a larger --size",
                  crop, picture_.shape[2], picture_.shape[1]);
    }
    if (crop % scale_ != 0) {
      throw_error(Error::Kind::usage, "data.crop = {}: must be a multiple of {}, the factor of the enlargement", crop,
                  scale_);
    }
    if (options_.augment.turn && crop == 0 && picture_.shape[1] != picture_.shape[2]) {
      throw_error(Error::Kind::usage,
                  "augment.turn: pictures of {}x{} (width, height) cannot be turned; give data.crop, or leave it out",
                  picture_.shape[2], picture_.shape[1]);
    }
  }

  // Extents of what is trained on, of inputs (scale 1) or of pictures.
  int part_height(int scale) const { return options_.data.crop > 0 ? options_.data.crop / scale_ * scale : 0; }
  Field of_parts(Field field, int scale) const {
    if (options_.data.crop > 0) {
      field.shape = {1, part_height(scale), part_height(scale), field.shape[3]};
    }
    return field;
  }

  // The same part of what is `scale` times as large as the inputs, wherever it is recorded with that prefix.
  Value part(StepRecorder& r, const std::string& prefix, Value x, int scale) const {
    const bool is_whole = options_.data.crop == 0;
    if (is_whole && !options_.augment.flip && !options_.augment.turn) {
      return x;
    }
    CropPictures p;
    p.random = {options_.seed, purpose_of_draw(prefix + "parts")};
    p.height = is_whole ? picture_.shape[1] / scale_ : part_height(1);
    p.width = is_whole ? picture_.shape[2] / scale_ : part_height(1);
    p.scale = scale;
    p.mirrors = options_.augment.flip;
    p.turns = options_.augment.turn;
    return ops::crop_pictures(r.program(), p, x, r.step());
  }

  bool knows_jobs() const { return !degradation_.jobs.empty(); }

  Value with_noise(StepRecorder& r, const std::string& prefix, const Degradation& degradation, Value picture) const {
    Program& p = r.program();
    const Shape shape = p.shape(picture);
    Value noise = r.normal(prefix + "noise", shape);
    const double from = degradation.from / kPictureScale.divisor, to = degradation.to / kPictureScale.divisor;
    if (from == to) {
      noise = ops::affine(p, noise, from);
    } else {
      const Value deviations = ops::affine(p, r.uniform(prefix + "deviations", {shape[0]}), to - from, from);
      noise = ops::multiply(p, noise, ops::broadcast(p, {Axes::each_row, 1.0F}, deviations, shape, DType::f32));
    }
    const Value spoilt = ops::add(p, ops::cast(p, picture, DType::f32), noise);
    return ops::cast(p, ops::clamp(p, spoilt, -1.0, 1.0), r.compute());
  }

  Value with_holes(StepRecorder& r, Value picture, Value known) const {
    return ops::concat_columns(r.program(), picture, ops::affine(r.program(), known, 2.0, -1.0));
  }

  // By one of several, whose colours are those of the picture where it leaves holes.
  Value spoilt_by(StepRecorder& r, const std::string& prefix, const Degradation& job, Value picture) const {
    if (job.has_holes()) {
      return picture;
    }
    return job.kind == DegradationKind::noise
               ? with_noise(r, prefix, job, picture)
               : part(r, prefix, r.batch(prefix + kPairs, "main", input_field_of(job)), 1);
  }

  // Each picture by the job that it drew: the others are made too, and multiplied by 0.
  Value spoilt_by_jobs(StepRecorder& r, const std::string& prefix, Value picture, Value drawn) const {
    Program& p = r.program();
    Value colours, missing;
    const int jobs = static_cast<int>(degradation_.jobs.size());
    const Value its_jobs = one_hot_jobs(p, drawn, jobs);
    for (int i = 0; i < jobs; ++i) {
      const Degradation& job = degradation_.jobs[i];
      const Value its = ops::multiply(p, spoilt_by(r, prefix, job, picture), is_job(p, its_jobs, i, picture));
      colours = i == 0 ? its : ops::add(p, colours, its);
      if (job.has_holes()) {
        const Value known = r.batch(prefix + kHoles, "main", kKnownField);
        missing = ops::multiply(p, ops::affine(p, known, -1.0, 1.0), is_job(p, its_jobs, i, known));
      }
    }
    return degradation_.has_holes() ? with_holes(r, colours, ops::affine(p, missing, -1.0, 1.0)) : colours;
  }

  std::vector<Value> spoilt(StepRecorder& r, const std::string& prefix, Value picture) const {
    if (knows_jobs()) {
      const Value drawn = r.batch(prefix + kJobs, "main", kJobField);
      return {spoilt_by_jobs(r, prefix, picture, drawn), drawn};
    }
    if (degradation_.kind == DegradationKind::noise) {
      return {with_noise(r, prefix, degradation_, picture)};
    }
    if (degradation_.has_holes()) {
      return {with_holes(r, picture, r.batch(prefix + kHoles, "main", kKnownField))};
    }
    return {part(r, prefix, r.batch(prefix + kPairs, "main", kInputField), 1)};
  }

  // What an adversary may know of the input: of holes where they are, because before the network leaves them out they
  // show what is missing. Where it is made of the picture in the step, R1 would else count that way too.
  Value condition(StepRecorder& r, Value input) const {
    Program& p = r.program();
    if (degradation_.has_holes()) {
      return ops::stop_gradient(p, ops::slice_columns(p, input, picture_.shape[3], 1));
    }
    if (degradation_.is_drawn()) {
      return ops::stop_gradient(p, input);
    }
    return scale_ == 1 ? input : enlarge_bilinearly(p, input, scale_);
  }

  JudgedPictures made_pictures(StepRecorder& r, const std::string& prefix) const {
    const Value picture = part(r, prefix, r.batch(prefix + kPairs, "main", "picture"), scale_);
    const std::vector<Value> given = spoilt(r, prefix, picture);
    const Value made = r.run(kRestorer, given)[0];
    return {adversary_.is_on() ? condition(r, given[0]) : Value{}, picture, made};
  }

  void record(StepRecorder& r) const {
    Program& p = r.program();
    const JudgedPictures pictures = made_pictures(r, "");
    const Value picture = pictures.real;
    const Value between = difference(p, ops::cast(p, pictures.made, DType::f32), ops::cast(p, picture, DType::f32));
    const float share = 1.0F / static_cast<float>(p.shape(picture).row_count());
    const Value errors = ops::reduce_sum(p, {Axes::each_row, share}, ops::multiply(p, between, between));
    constexpr double kLeast = 1e-8;
    const Value logarithms = ops::unary(p, UnaryKind::log, ops::affine(p, errors, kFromZeroToOne, kLeast));
    const Value minus_psnr = ops::affine(p, ops::mean(p, logarithms), 10 / std::numbers::ln10);
    r.metric("psnr", ops::affine(p, minus_psnr, -1.0));
    const bool is_psnr = options_.loss.restoration == "psnr";
    Value loss = is_psnr ? minus_psnr : ops::mean(p, ops::unary(p, UnaryKind::abs, between));
    if (has_parts()) {
      r.metric("restoration", loss);
    }
    const double weight = options_.loss.restoration_weight;
    loss = weight == 1 ? loss : ops::affine(p, loss, weight);
    if (perceptual_.is_on()) {
      loss = ops::add(p, loss, perceptual_.loss(r, pictures.made, picture));
    }
    if (adversary_.is_on()) {
      loss = ops::add(p, loss, adversary_.loss(r, pictures));
    }
    r.update(loss, rule());
    r.average(kRestorer, resolve("optimizer.ema_decay", options_.optimizer.ema_decay, steps_, options_.train.batch));
  }

  UpdateRule rule() const {
    return adam_rule(options_, steps_, "optimizer.learning_rate", options_.optimizer.learning_rate, loss_name(),
                     norm_name());
  }

  bool has_parts() const { return adversary_.is_on() || perceptual_.is_on(); }  // the loss is a sum
  const char* loss_name() const { return adversary_.is_on() ? "g_loss" : "loss"; }
  const char* norm_name() const { return adversary_.is_on() ? "g_grad_norm" : "grad_norm"; }

  Options options_;
  std::int64_t steps_;
  Degradation degradation_;
  Field input_, picture_, job_;
  int scale_;
  PatchAdversary adversary_;
  PerceptualDistance perceptual_;
};

}  // namespace

std::unique_ptr<Recipe> make_restore(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Restore>(options, fields, steps);
}

}  // namespace duel
