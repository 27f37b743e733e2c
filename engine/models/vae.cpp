#include "engine/models/vae.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace duel {

namespace {

const LayerForm kActive{{ActivationKind::relu}, as_in_pytorch};
const LayerForm kLinear{{}, as_in_pytorch};

constexpr double kLowestLogSigma = std::numbers::ln2 - 6;

constexpr Conv2d kHalvingByFive{2, 2, 2, 2, 2};  // of 5x5 filters, or transposed, of 6x6

std::int64_t deepest_count(const VaeConfig& config) {
  return std::int64_t{4} * config.filters * (config.height / 4) * (config.width / 4);
}

// Checked before the first layer is made: of a constructor's members, the first calls it.
const VaeConfig& checked(const VaeConfig& config) {
  check_vae(config);
  return config;
}

}  // namespace

void check_vae(const VaeConfig& config) {
  if (config.height <= 0 || config.width <= 0 || config.height % 4 != 0 || config.width % 4 != 0) {
    throw_error(Error::Kind::usage, "vae: pictures are {}x{}, but height and width must be multiples of 4",
                config.height, config.width);
  }
  if (config.channels < 1 || config.channels > 4) {
    throw_error(Error::Kind::usage, "vae: pictures have {} channels, but must have 1 to 4", config.channels);
  }
  if (config.latent < 1 || config.filters < 1) {
    throw_error(Error::Kind::usage, "vae: {} latents and {} filters must be at least 1", config.latent, config.filters);
  }
  if (deepest_count(config) > std::numeric_limits<int>::max()) {
    throw_error(Error::Kind::usage,
                "vae: {} filters of {}x{} pictures are {} numbers, but at most {} go into a dense layer; fewer filters "
                "or smaller pictures are needed",
                config.filters, config.height, config.width, deepest_count(config), std::numeric_limits<int>::max());
  }
}

VaeEncoder::VaeEncoder(Parameters& parameters, const VaeConfig& config)
    : latent_(checked(config).latent),
      conv1_(parameters, "conv1", config.channels, config.filters, 3, kActive),
      conv2_(parameters, "conv2", kHalving, config.filters, 2 * config.filters, 4, kActive),
      conv3_(parameters, "conv3", kHalvingByFive, 2 * config.filters, 4 * config.filters, 5, kActive),
      dense_(parameters, "posterior", static_cast<int>(deepest_count(config)), 2 * config.latent, kLinear) {}

Posterior VaeEncoder::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "encoder");
  const Value x = conv3_(program, weights, conv2_(program, weights, conv1_(program, weights, pictures)));
  const Shape& shape = program.shape(x);
  const Value flat = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
  const Value both = dense_(program, weights, flat, DType::f32);
  return {ops::slice_columns(program, both, 0, latent_), ops::slice_columns(program, both, latent_, latent_)};
}

VaeDecoder::VaeDecoder(Parameters& parameters, const VaeConfig& config)
    : height_(checked(config).height / 4),
      width_(config.width / 4),
      filters_(4 * config.filters),
      dense_(parameters, "dense", config.latent, static_cast<int>(deepest_count(config)), kActive),
      up1_(parameters, "up1", kHalvingByFive, 4 * config.filters, 2 * config.filters, 6, kActive),
      up2_(parameters, "up2", kHalvingByFive, 2 * config.filters, config.filters, 6, kActive),
      last_(parameters, "last", Conv2d::same(5), config.filters, config.channels, 5,
            {{ActivationKind::sigmoid}, as_in_pytorch}) {}

Value VaeDecoder::operator()(Program& program, const BoundParameters& weights, Value z) const {
  const Program::Scope scope(program, "decoder");
  const Shape deepest{program.shape(z)[0], height_, width_, filters_};
  const Value x = program.reshape(dense_(program, weights, z, program.dtype(z)), deepest);
  const Value y = last_(program, weights, up2_(program, weights, up1_(program, weights, x)));
  return ops::affine(program, y, 2.0, -1.0);
}

Value sample_posterior(Program& program, const Posterior& posterior, Value noise) {
  const Value deviation = ops::unary(program, UnaryKind::exp, ops::affine(program, posterior.log_variance, 0.5));
  return ops::add(program, posterior.mean, ops::multiply(program, deviation, noise));
}

Value divergence_from_prior(Program& program, const Posterior& posterior) {
  const Program::Scope scope(program, "divergence");
  const auto& [mean, log_variance] = posterior;
  const Value squares = ops::multiply(program, mean, mean),
              variance = ops::unary(program, UnaryKind::exp, log_variance);
  // mean^2 + variance - (1 + log_variance)
  const Value terms =
      ops::add(program, ops::add(program, squares, variance), ops::affine(program, log_variance, -1.0, -1.0));
  return ops::reduce_sum(program, {Axes::each_row, 0.5F}, terms);
}

Value squared_errors(Program& program, Value pictures, Value reconstructions) {
  const Program::Scope scope(program, "reconstruction");
  const Value difference =
      ops::cast(program, ops::add(program, reconstructions, ops::affine(program, pictures, -1.0)), DType::f32);
  const float share = 1.0F / static_cast<float>(program.shape(pictures).row_count());
  return ops::reduce_sum(program, {Axes::each_row, share}, ops::multiply(program, difference, difference));
}

Value optimal_sigma_loss(Program& program, Value mse, std::int64_t numbers_a_picture) {
  const Program::Scope scope(program, "reconstruction");
  const auto count = static_cast<double>(numbers_a_picture);
  const Value half_log = ops::affine(program, ops::unary(program, UnaryKind::log, mse), 0.5, -kLowestLogSigma);
  const Value log_sigma =
      ops::affine(program, ops::unary(program, UnaryKind::softplus, half_log), 1.0, kLowestLogSigma);
  const Value precision = ops::unary(program, UnaryKind::exp, ops::affine(program, log_sigma, -2.0));
  const Value errors = ops::affine(program, ops::multiply(program, mse, precision), 0.5 * count);
  return ops::add(program, errors,
                  ops::affine(program, log_sigma, count, 0.5 * count * std::log(2 * std::numbers::pi)));
}

double optimal_sigma_loss(double mse, std::int64_t numbers_a_picture) {
  const double above = std::log1p(std::exp(0.5 * std::log(mse) - kLowestLogSigma));
  const double log_sigma = kLowestLogSigma + above;
  return static_cast<double>(numbers_a_picture) *
         (log_sigma + 0.5 * std::log(2 * std::numbers::pi) + 0.5 * mse * std::exp(-2 * log_sigma));
}

}  // namespace duel
