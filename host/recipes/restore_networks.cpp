#include "host/recipes/restore_networks.h"

#include "engine/models/msr_resnet.h"
#include "engine/models/nafnet.h"
#include "engine/models/unet.h"
#include "engine/nn/fill_holes.h"
#include "engine/ops/ops.h"
#include "host/config/degradation.h"
#include "host/recipes/job_map.h"
#include "kernels/check.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace duel {

namespace {

// How the channels of what is given meet those of what is made.
enum class Channels : std::uint8_t { alike, grey_to_colour, with_holes };

Channels channels_of(const Field& input, const Field& picture) {
  const int given = input.shape[3], made = picture.shape[3];
  if (given == made) {
    return Channels::alike;
  }
  if (given == 1 && made == 3) {
    return Channels::grey_to_colour;
  }
  if (given == made + 1 && (made == 1 || made == 3)) {
    return Channels::with_holes;
  }
  throw_error(Error::Kind::usage, "recipe restore: from pictures of {} channels none of {} are made", given, made);
}

// One number of each pixel, [N,H,W,1], for `channels`.
Value in_every_channel(Program& program, Value x, int channels) {
  const Shape shape = program.shape(x);
  const Value pixels = program.reshape(ops::cast(program, x, DType::f32), {static_cast<int>(program.shape(x).count())});
  const Shape large = {shape[0] * shape[1] * shape[2], channels};
  const Value wide = ops::broadcast(program, {Axes::each_row, 1.0F}, pixels, large, program.dtype(x));
  return program.reshape(wide, {shape[0], shape[1], shape[2], channels});
}

// A picture in colour with the luma of a grey one: what it has too little is added to each channel.
Value with_luma_of(Program& program, Value grey, Value colour) {
  constexpr double kShares[] = {0.299, 0.587, 0.114};  // of red, green and blue, as in degrade.h
  Value lacking = grey;
  for (int c = 0; c < 3; ++c) {
    lacking = ops::add(program, lacking, ops::affine(program, ops::slice_columns(program, colour, c, 1), -kShares[c]));
  }
  return ops::add(program, colour, in_every_channel(program, lacking, 3));
}

class RestorerNetwork : public Network {
public:
  using Body = std::function<Value(Program&, const BoundParameters&, Value)>;
  using MakeBody = std::function<Body(Parameters&)>;

  RestorerNetwork(Channels channels, int made, const Degradation& degradation, const MakeBody& make)
      : Network(kRestorer),
        channels_(channels),
        made_(made),
        knows_luma_(degradation.kind == DegradationKind::grey),
        jobs_(degradation.jobs),
        body_(make(parameters())) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& p = pass.program;
    const Value x = inputs[0];
    const int jobs = static_cast<int>(jobs_.size());
    const Value its_jobs = jobs == 0 ? Value{} : one_hot_jobs(p, inputs[1], jobs);
    const auto made_of = [&](Value seen) {
      return body_(p, pass.weights, jobs == 0 ? seen : ops::concat_columns(p, seen, job_map(p, its_jobs, x)));
    };
    if (channels_ != Channels::with_holes) {
      const bool is_grey = channels_ == Channels::grey_to_colour;
      const Value made = made_of(is_grey ? in_every_channel(p, x, made_) : x);
      return {knows_luma_ ? with_luma_of(p, x, made) : made};
    }
    const Value opacity = ops::slice_columns(p, x, made_, 1);  // 1 where a pixel is known, -1 where not
    const Value known = in_every_channel(p, ops::affine(p, opacity, 0.5, 0.5), made_);
    const Value seen = ops::multiply(p, ops::slice_columns(p, x, 0, made_), known);
    const Value filled = ops::cast(p, fill_holes(p, seen, known), p.dtype(x));
    const Value made = made_of(ops::concat_columns(p, filled, opacity));
    const Value missing = ops::affine(p, known, -1.0, 1.0);
    if (jobs == 0) {
      return {ops::add(p, seen, ops::multiply(p, made, missing))};
    }
    // Exact where the job leaves holes: 1 and 0 times what is seen and what is made.
    const Value keeps = ops::multiply(p, is_job(p, its_jobs, job_of_holes(), known), known);
    return {ops::add(p, ops::multiply(p, seen, keeps), ops::multiply(p, made, ops::affine(p, keeps, -1.0, 1.0)))};
  }

private:
  int job_of_holes() const {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [](const Degradation& each) { return each.has_holes(); });
    return static_cast<int>(job - jobs_.begin());
  }

  Channels channels_;
  int made_;
  bool knows_luma_;  // what it is given has the luma of what it is to make
  std::vector<Degradation> jobs_;
  Body body_;
};

RestorerNetwork::MakeBody msr_resnet(const Options::Model& model, const Field& picture, int scale) {
  const MsrResnetConfig config{picture.shape[3], model.filters, model.blocks, scale};
  check_msr_resnet(config);
  return [config](Parameters& parameters) -> RestorerNetwork::Body {
    auto body = std::make_shared<const MsrResnet>(parameters, config);
    return [body](Program& program, const BoundParameters& weights, Value x) { return (*body)(program, weights, x); };
  };
}

RestorerNetwork::MakeBody nafnet(const Options::Model& model, const Field& picture, int inputs) {
  NafnetConfig config;
  config.height = picture.shape[1];
  config.width = picture.shape[2];
  config.inputs = inputs;
  config.outputs = picture.shape[3];
  config.channels = model.filters;
  config.down = model.encoder_blocks;
  config.middle = model.middle_blocks;
  config.up = model.decoder_blocks;
  check_nafnet(config);
  return [config](Parameters& parameters) -> RestorerNetwork::Body {
    auto body = std::make_shared<const Nafnet>(parameters, config);
    return [body](Program& program, const BoundParameters& weights, Value x) { return (*body)(program, weights, x); };
  };
}

// Of a part where those are trained on, so that these levels suit whole pictures too or the pictures are refused.
int unet_levels_of(const Options& options, const Field& picture) {
  const int crop = options.data.crop;
  return crop > 0 ? unet_levels(crop, crop) : unet_levels(picture.shape[1], picture.shape[2]);
}

RestorerNetwork::MakeBody unet(const Options& options, const Field& picture, int inputs) {
  UnetConfig config;
  config.height = picture.shape[1];
  config.width = picture.shape[2];
  config.inputs = inputs;
  config.outputs = picture.shape[3];
  config.filters = options.model.filters;
  config.levels = unet_levels_of(options, picture);
  check_unet(config);
  return [config](Parameters& parameters) -> RestorerNetwork::Body {
    auto body = std::make_shared<const Unet>(parameters, config);
    return [body](Program& program, const BoundParameters& weights, Value x) { return (*body)(program, weights, x); };
  };
}

}  // namespace

int restorer_granule(const Options& options, const Field& picture) {
  if (options.model.restorer == "nafnet") {
    return 1 << options.model.encoder_blocks.size();
  }
  return options.model.restorer == "unet" ? 1 << unet_levels_of(options, picture) : 1;
}

int restoration_scale(const Field& input, const Field& picture) {
  const int scale = std::max(picture.shape[1] / input.shape[1], 1);
  if (picture.shape[1] != scale * input.shape[1] || picture.shape[2] != scale * input.shape[2]) {
    throw_error(Error::Kind::usage,
                "recipe restore: pictures of {}x{} (width, height) are no whole number of times as large as their "
                "inputs of {}x{}",
                picture.shape[2], picture.shape[1], input.shape[2], input.shape[1]);
  }
  return scale;
}

std::unique_ptr<Network> make_restorer(const Options& options, const Field& input, const Field& picture) {
  const int scale = restoration_scale(input, picture);
  const Channels channels = channels_of(input, picture);
  const bool enlarges = options.model.restorer == "msr-resnet";
  if (enlarges && (scale < 2 || scale > 4 || channels == Channels::with_holes)) {
    throw_error(Error::Kind::usage,
                "model.restorer = msr-resnet: enlarges pictures 2, 3 or 4 times, but these inputs are {}; "
                "model.restorer = nafnet (--preset repair) keeps the size",
                scale == 1 ? "as large as what they are to become" : fmt::format("{} times smaller", scale));
  }
  if (!enlarges && scale != 1) {
    throw_error(Error::Kind::usage,
                "model.restorer = {}: keeps the size of pictures, but these inputs are {} times smaller than what they "
                "are to become; model.restorer = msr-resnet (--preset enlarge) enlarges",
                options.model.restorer, scale);
  }
  const Degradation degradation = degradation_of(options.data.degrade);
  const int made = picture.shape[3], jobs = static_cast<int>(degradation.jobs.size());
  const int inputs = made + (channels == Channels::with_holes ? 1 : 0) + jobs;
  const auto make = enlarges                           ? msr_resnet(options.model, picture, scale)
                    : options.model.restorer == "unet" ? unet(options, picture, inputs)
                                                       : nafnet(options.model, picture, inputs);
  return std::make_unique<RestorerNetwork>(channels, made, degradation, make);
}

}  // namespace duel
