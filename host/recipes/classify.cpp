#include "host/recipes/classify.h"

#include "engine/models/classifier.h"
#include "engine/nn/tag_loss.h"
#include "engine/ops/ops.h"
#include "host/data/calibration.h"
#include "host/data/confusion.h"
#include "host/data/draw_purpose.h"
#include "host/data/tag_scores.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/augmentation.h"
#include "host/recipes/fields.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <string>
#include <vector>

namespace duel {

namespace {

constexpr const char* kClassify = "classify";
constexpr const char* kClassifier = "classifier";
constexpr const char* kPictures = "pictures";  // the draw
constexpr const char* kChanges = "changes";    // and those of the augmentation

class ClassifierNetwork : public Network {
public:
  explicit ClassifierNetwork(const ClassifierConfig& config)
      : Network(kClassifier), classifier_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    const Classifier::Result result = classifier_(pass.program, pass.weights, pass.state, pass.training, inputs[0]);
    return {result.logits, result.features};
  }
  bool mixes_rows() const override { return true; }

private:
  Classifier classifier_;
};

// exp(logits) over their sum in each row, by the logarithm of that sum, which no finite logits overflow.
Value softmax(Program& program, Value logits) {
  const Shape& shape = program.shape(logits);
  const Value any = ops::fill(program, {shape[0]}, DType::i32, 0);  // the sums do not depend on labels
  const Value log_sums = ops::softmax_cross_entropy(program, {}, logits, any).log_sums;
  const Value shift = ops::broadcast(program, {Axes::each_row, -1.0F}, log_sums, shape, DType::f32);
  return ops::unary(program, UnaryKind::exp, ops::add(program, logits, shift));
}

Field numbers(const std::string& name, int count) {
  Field field;
  field.name = name;
  field.kind = FieldKind::vector;
  field.shape = {1, count};
  field.dtype = DType::f32;
  return field;
}

// There is none whose judgement an augmentation could follow.
Options without_discriminator(Options options) {
  options.augment.adaptive = false;
  return options;
}

class Classify : public Recipe {
public:
  Classify(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options),
        steps_(steps),
        picture_(field_of(fields, "main", "picture", kClassify)),
        target_(field_of(fields, "main", options.data.target, kClassify)),
        augmentation_(without_discriminator(options), picture_, steps) {
    if (is_of_classes() && target_.names.size() < 2) {
      throw_error(Error::Kind::usage, "recipe {}: there is one class only, {}, so there is nothing to tell apart",
                  kClassify, target_.names.front());
    }
  }

  std::string name() const override { return kClassify; }

  std::vector<NamedNetwork> make_networks() const override {
    std::vector<NamedNetwork> networks;
    networks.push_back({std::make_unique<ClassifierNetwork>(config()), false, true});
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"main", {kClassifier}, [this](StepRecorder& r) { record(r); }}};
  }

  std::vector<DrawnField> batches() const override {
    return {{kPictures, "main", "picture"}, {kPictures, "main", target_.name}};
  }

  std::vector<std::string> metrics() const override { return {"loss", "accuracy", "grad_norm"}; }

  Sampling sampling() const override {
    Sampling sampling;
    Field probabilities = numbers("probabilities", config().classes);
    probabilities.names = target_.names;
    sampling.inputs = {picture_};
    sampling.outputs = {probabilities, numbers("features", Classifier::features(config()))};
    sampling.networks = {kClassifier};
    sampling.record = [is_of_classes = is_of_classes()](Program& p, const Sampling::Run& run,
                                                        std::span<const Value> inputs) {
      const std::vector<Value> results = run(kClassifier, {inputs[0]});
      return std::vector<Value>{is_of_classes ? softmax(p, results[0]) : ops::unary(p, UnaryKind::sigmoid, results[0]),
                                results[1]};
    };
    return sampling;
  }

  std::map<std::string, Sampling> answering_networks() const override {
    Sampling answering;
    answering.inputs = {picture_};
    answering.outputs = {numbers("logits", config().classes)};
    answering.outputs[0].names = target_.names;
    answering.networks = {kClassifier};
    answering.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return std::vector<Value>{run(kClassifier, {inputs[0]})[0]};
    };
    return {{kClassifier, answering}};
  }

  std::optional<HeldOutMeasure> held_out() const override {
    HeldOutMeasure measure;
    measure.sampling = sampling();
    measure.needed = {target_.name};
    using Rows = HeldOutMeasure::Rows;
    if (is_of_classes()) {
      measure.metrics = {"held_out_accuracy"};
      measure.summarize = [](const Source& rows, Rows outputs) {
        return std::vector<double>{confusion_of(rows, "label", outputs[0]).accuracy()};
      };
      measure.report = [](const Source& rows, Rows outputs) {
        return to_text(confusion_of(rows, "label", outputs[0])) + "\n" +
               to_text(calibration_of(rows, "label", outputs[0]));
      };
    } else {
      measure.metrics = {"held_out_average_precision", "held_out_f1"};
      measure.summarize = [](const Source& rows, Rows outputs) {
        const TagScores scores = tag_scores(rows, "attributes", outputs[0]);
        return std::vector<double>{scores.mean_average_precision(), scores.mean_f1()};
      };
      measure.report = [](const Source& rows, Rows outputs) {
        return to_text(tag_scores(rows, "attributes", outputs[0]));
      };
    }
    return measure;
  }

private:
  bool is_of_classes() const { return target_.kind == FieldKind::label; }

  ClassifierConfig config() const {
    ClassifierConfig config;
    config.height = picture_.shape[1];
    config.width = picture_.shape[2];
    config.channels = picture_.shape[3];
    config.classes = static_cast<int>(target_.names.size());
    config.filters = options_.model.filters;
    config.blocks = options_.model.blocks;
    config.stages = options_.model.stages;
    config.stem_stride = options_.model.stem_stride;
    return config;
  }

  Value augmented(StepRecorder& r, Value pictures) const {
    const Value moved = moved_and_mirrored(r, pictures);
    return augmentation_.augmented(r, moved, augmentation_.draws(r, kChanges, r.batch_size()));
  }

  Value moved_and_mirrored(StepRecorder& r, Value pictures) const {
    if (options_.augment.shift == 0 && !options_.augment.flip) {
      return pictures;
    }
    ShiftFlip move;
    move.random = {options_.seed, purpose_of_draw("moves")};
    move.pixels = options_.augment.shift;
    move.flips = options_.augment.flip;
    move.edge = PictureEdge::border;
    return ops::shift_flip(r.program(), move, pictures, r.step());
  }

  void record(StepRecorder& r) const {
    Program& p = r.program();
    const Value pictures = augmented(r, r.batch(kPictures, "main", "picture"));
    const Value target = r.batch(kPictures, "main", target_.name);
    const Value logits = r.run(kClassifier, {pictures})[0];
    if (is_of_classes()) {
      const CrossEntropy smoothed{static_cast<float>(options_.loss.label_smoothing)};
      r.metric("accuracy", ops::fraction_correct(p, logits, target));
      r.update(ops::softmax_cross_entropy(p, smoothed, logits, target).loss, rule());
    } else {
      const Value tags = ops::cast(p, target, DType::f32);
      r.metric("accuracy", tag_accuracy(p, logits, tags));
      r.update(tag_loss(p, logits, tags), rule());
    }
  }

  UpdateRule rule() const {
    return adam_rule(options_, steps_, "optimizer.learning_rate", options_.optimizer.learning_rate, "loss",
                     "grad_norm");
  }

  Options options_;
  std::int64_t steps_;
  Field picture_, target_;
  Augmentation augmentation_;
};

}  // namespace

std::unique_ptr<Recipe> make_classify(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Classify>(options, fields, steps);
}

}  // namespace duel
