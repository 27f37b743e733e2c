#include "host/recipes/tryon.h"

#include "engine/models/tryon.h"
#include "engine/nn/difference.h"
#include "engine/nn/flow.h"
#include "engine/ops/ops.h"
#include "host/data/tryon_source.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/fields.h"
#include "host/recipes/step_recorder.h"
#include "host/recipes/tryon_truth.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr const char *kTryon = "tryon", *kFlow = "flow", *kPainter = "painter", *kPairs = "pairs";
constexpr double kColours = 2, kMasks = 4, kPlaces = 0.3, kCurvature = 0.4;  // their weights
constexpr int kPainterInputs = 3 + 3 + 4;                                    // person, body, warped garment

// One number of each pixel for three colours.
Value for_colours(Program& p, Value x) {
  return ops::concat_columns(p, ops::concat_columns(p, x, x), x);
}

Value without(Program& p, Value mask) {
  return for_colours(p, ops::affine(p, mask, -1.0, 1.0));
}

// Colours [N,H,W,3] that are 0 where the mask [N,H,W,1] is, and the mask, 0..1, behind them.
Value cut_out(Program& p, Value colours, Value mask) {
  return ops::concat_columns(p, ops::multiply(p, colours, for_colours(p, mask)), mask);
}

// As a picture's bytes are read, -1..1, to 0..1.
Value mask_of(Program& p, Value x) {
  return ops::affine(p, x, 0.5, 0.5);
}

Value colours_of(Program& p, Value x) {
  return ops::slice_columns(p, x, 0, 3);
}
Value opacity_of(Program& p, Value x) {
  return ops::slice_columns(p, x, 3, 1);
}

// The garment as its file has it, [N,H,W,4] in -1..1, cut out.
Value garment_of(Program& p, Value x) {
  return cut_out(p, colours_of(p, x), mask_of(p, opacity_of(p, x)));
}

// The picture in the flow's size, of means.
Value in_size_of(Program& p, Value x, Value flow) {
  while (p.shape(x)[1] > p.shape(flow)[1]) {
    const Shape s = p.shape(x);
    x = ops::resample2d(p, area_down(), x, s[1] / 2, s[2] / 2);
  }
  return x;
}

// How far a is from b in what is finer than the mean of 7x7 pixels. Shading changes little but that mean, and would
// otherwise outweigh what a garment's texture says of where it belongs.
Value difference_in_detail(Program& p, Value a, Value b) {
  constexpr float kShare = 1.0F / 7;
  static const Resample2d kMean{1, 1, 3, {kShare, kShare, kShare, kShare, kShare, kShare, kShare}};
  const Value all = difference(p, ops::cast(p, a, DType::f32), ops::cast(p, b, DType::f32));
  const Shape s = p.shape(all);
  return mean_absolute_difference(p, all, ops::resample2d(p, kMean, all, s[1], s[2]));
}

// How far a flow is from the true one, in pixels of the picture: the mean over all of them, where the garment is not
// seen none. Smooth where they meet.
Value distance(Program& p, Value flow, Value truth, Value seen) {
  while (p.shape(flow)[1] < p.shape(truth)[1]) {
    flow = enlarge_flow(p, flow);
  }
  const Value d = difference(p, flow, truth), squares = ops::multiply(p, d, d);
  const Value sum = ops::add(p, ops::slice_columns(p, squares, 0, 1), ops::slice_columns(p, squares, 1, 1));
  const Value distances = ops::unary(p, UnaryKind::square_root, ops::affine(p, sum, 1.0, 1e-2));
  return ops::mean(p, ops::multiply(p, distances, ops::cast(p, seen, DType::f32)));
}

// (garment cut out, person, body) to the flows.
class FlowNetwork : public Network {
public:
  explicit FlowNetwork(const TryonConfig& config) : Network(kFlow), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& p = pass.program;
    return body_(p, pass.weights, inputs[0], ops::concat_columns(p, inputs[1], inputs[2]));
  }

private:
  TryonFlow body_;
};

// (person, body, warped garment) to the picture, what is painted of it, and the mask of what is taken from the garment.
class PainterNetwork : public Network {
public:
  explicit PainterNetwork(const TryonConfig& config) : Network(kPainter), body_(parameters(), config, kPainterInputs) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& p = pass.program;
    const Value warped = inputs[2];
    const Value all = ops::concat_columns(p, ops::concat_columns(p, inputs[0], inputs[1]), warped);
    const TryonPainter::Painted painted = body_(p, pass.weights, all);
    const Value taken = ops::multiply(p, painted.taken, opacity_of(p, warped));
    const Value garment = ops::multiply(p, colours_of(p, warped), for_colours(p, painted.taken));
    const Value behind = ops::add(p, ops::multiply(p, inputs[0], for_colours(p, painted.kept)),
                                  ops::multiply(p, painted.picture, without(p, painted.kept)));
    return {ops::add(p, garment, ops::multiply(p, behind, without(p, taken))), painted.picture, taken};
  }

private:
  TryonPainter body_;
};

const Field& field_of_set(const Fields& fields, const char* name) {
  const auto main = fields.find("main");
  const bool is_set = main != fields.end() && std::any_of(main->second.begin(), main->second.end(),
                                                          [](const Field& field) { return field.name == "garment"; });
  if (!is_set) {
    throw_error(Error::Kind::usage,
                "recipe tryon: needs people and garments that belong together; give --data SET, a folder that "
                "tools/make_tryon.py made");
  }
  return field_of(fields, "main", name, kTryon);
}

// Of one picture: its SSIM, its mean difference, and how far its flow is from the true one.
std::vector<float> score(const Source& rows, std::int64_t row, std::span<const float> made,
                         std::span<const float> flow) {
  const auto read = [&](const char* name) {
    const std::size_t field = field_index(rows, name);
    const Shape& shape = rows.fields()[field].shape;
    Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
    rows.read(row, field, std::as_writable_bytes(std::span(picture.pixels)).data());
    return picture;
  };
  const Picture truth = read("picture"), worn = read("worn"), places = read("flow");
  const Picture its = to_picture(made, truth.height, truth.width, truth.channels);
  double differences = 0, distances = 0;
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < truth.pixels.size(); ++i) {
    differences += std::abs(int{truth.pixels[i]} - int{its.pixels[i]});
  }
  for (std::size_t pixel = 0; pixel < worn.pixels.size(); ++pixel) {
    if (worn.pixels[pixel] >= 128) {
      const auto [column, line] = flow_place(std::span(places.pixels).subspan(3 * pixel, 3));
      const auto width = static_cast<std::size_t>(truth.width);
      const double right = column * truth.width - (static_cast<double>(pixel % width) + 0.5);
      const double down = line * truth.height - (static_cast<double>(pixel / width) + 0.5);
      distances += std::hypot(flow[2 * pixel] - right, flow[2 * pixel + 1] - down);
      ++seen;
    }
  }
  return {static_cast<float>(ssim(truth, its)),
          static_cast<float>(differences / 255 / static_cast<double>(truth.pixels.size())),
          static_cast<float>(distances), static_cast<float>(seen)};
}

class Tryon : public Recipe {
public:
  Tryon(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options),
        steps_(steps),
        garment_(field_of_set(fields, "garment")),
        person_(field_of_set(fields, "person")),
        body_(field_of_set(fields, "body")),
        picture_(field_of_set(fields, "picture")),
        config_{picture_.shape[1], picture_.shape[2], options.model.filters} {
    if (options.data.labels) {
      throw_error(Error::Kind::usage, "recipe tryon: learns nothing by class, so data.labels must be false");
    }
    check_tryon(config_);
  }

  std::string name() const override { return kTryon; }

  std::vector<NamedNetwork> make_networks() const override {
    std::vector<NamedNetwork> networks;
    networks.push_back({std::make_unique<FlowNetwork>(config_), true, true});
    networks.push_back({std::make_unique<PainterNetwork>(config_), true, true});
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"main", {kFlow, kPainter}, [this](StepRecorder& r) { record(r); }}};
  }

  std::vector<DrawnField> batches() const override {
    return {{kPairs, "main", "garment"}, {kPairs, "main", "person"}, {kPairs, "main", "body"},
            {kPairs, "main", "picture"}, {kPairs, "main", "worn"},   {kPairs, "main", "flow"}};
  }

  std::vector<std::string> metrics() const override { return {"loss", "warp", "picture", "l1", "grad_norm"}; }

  Sampling sampling() const override {
    Sampling sampling;
    sampling.inputs = {garment_, person_, body_};
    sampling.outputs = {picture_, flow_field()};
    sampling.networks = {kFlow, kPainter};
    sampling.record = [](Program& p, const Sampling::Run& run, std::span<const Value> inputs) {
      const Value garment = garment_of(p, inputs[0]);
      const Value flow = run(kFlow, {garment, inputs[1], inputs[2]}).back();
      const Value made = run(kPainter, {inputs[1], inputs[2], warp_by_flow(p, garment, flow)})[0];
      return std::vector<Value>{made, flow};
    };
    return sampling;
  }

  std::optional<Sampling> translation() const override { return sampling(); }

  std::optional<HeldOutMeasure> held_out() const override {
    HeldOutMeasure measure;
    measure.sampling = sampling();
    measure.needed = {"picture", "worn", "flow"};
    measure.metrics = {"held_out_ssim", "held_out_l1", "held_out_flow_error"};
    measure.reduce = [](const Source& rows, std::int64_t row, std::span<const std::span<const float>> outputs) {
      return score(rows, row, outputs[0], outputs[1]);
    };
    measure.summarize = [](const Source& rows, HeldOutMeasure::Rows outputs) {
      double sums[4] = {};
      for (std::size_t i = 0; i < outputs[0].size(); ++i) {
        sums[i % 4] += outputs[0][i];
      }
      const auto count = static_cast<double>(rows.count());
      return std::vector<double>{sums[0] / count, sums[1] / count, sums[2] / std::max(sums[3], 1.0)};
    };
    return measure;
  }

private:
  Field flow_field() const {
    return {"flow", FieldKind::vector, {1, picture_.shape[1], picture_.shape[2], 2}, DType::f32};
  }

  // The later a flow, the more it counts (Ge et al. 2021, section 3.4).
  static Value warp_loss(Program& p, Value garment, Value worn, Value true_flow, const std::vector<Value>& flows) {
    Value sum;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      const Value warped = warp_by_flow(p, in_size_of(p, garment, flows[i]), flows[i]);
      const Value truth = in_size_of(p, worn, flows[i]);
      const Value colours = difference_in_detail(p, colours_of(p, warped), colours_of(p, truth));
      const Value masks = mean_absolute_difference(p, opacity_of(p, warped), opacity_of(p, truth));
      const auto number = static_cast<double>(i + 1);
      const Value places = distance(p, flows[i], true_flow, opacity_of(p, worn));
      const Value one =
          ops::add(p, ops::add(p, ops::affine(p, colours, number * kColours), ops::affine(p, masks, number * kMasks)),
                   ops::affine(p, places, number * kPlaces));
      sum = sum.exists() ? ops::add(p, sum, one) : one;
    }
    return ops::add(p, sum, ops::affine(p, flow_curvature(p, flows.back()), kCurvature));
  }

  void record(StepRecorder& r) const {
    Program& p = r.program();
    const auto drawn = [&](const char* field) { return r.batch(kPairs, "main", field); };
    const Value garment = garment_of(p, drawn("garment"));
    const Value person = drawn("person"), body = drawn("body"), truth = drawn("picture");
    const Value worn = cut_out(p, truth, mask_of(p, drawn("worn")));

    const std::vector<Value> flows = r.run(kFlow, {garment, person, body});
    const Value warp = warp_loss(p, garment, worn, true_flow(p, r.batch(kPairs, "main", "flow", DType::f32)), flows);
    const std::vector<Value> painted = r.run(kPainter, {person, body, warp_by_flow(p, garment, flows.back())});
    const Value l1 = mean_absolute_difference(p, painted[0], truth);
    const Value not_taken =
        ops::mean(p, ops::affine(p, ops::cast(p, painted[2], DType::f32), -1.0, 1.0));  // a mask is at most 1
    const Value picture =
        ops::add(p, ops::add(p, ops::affine(p, l1, 5.0), mean_absolute_difference(p, painted[1], truth)), not_taken);
    r.metric("warp", warp);
    r.metric("picture", picture);
    r.metric("l1", l1);
    r.update(ops::add(p, warp, picture), adam_rule(options_, steps_, "optimizer.learning_rate",
                                                   options_.optimizer.learning_rate, "loss", "grad_norm"));
    for (const char* network : {kFlow, kPainter}) {
      r.average(network, resolve("optimizer.ema_decay", options_.optimizer.ema_decay, steps_, options_.train.batch));
    }
  }

  Options options_;
  std::int64_t steps_;
  Field garment_, person_, body_, picture_;
  TryonConfig config_;
};

}  // namespace

std::unique_ptr<Recipe> make_tryon(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Tryon>(options, fields, steps);
}

}  // namespace duel
