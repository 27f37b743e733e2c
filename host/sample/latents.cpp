#include "host/sample/latents.h"

#include "host/config/decimal.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"
#include "kernels/memory.h"
#include "kernels/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace duel {

std::vector<std::uint64_t> parse_seeds(const std::string& option, const std::string& text, std::size_t most) {
  const auto refuse = [&] {
    throw_error(Error::Kind::usage,
                "{} {}: must be seeds and ranges of seeds, each from 0 to 18446744073709551615, for example 1,5,9-12",
                option, text.empty() ? "\"\"" : text);
  };
  std::vector<std::uint64_t> seeds;
  std::string_view rest = text;
  for (bool is_more = true; is_more;) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    is_more = comma != std::string_view::npos;
    rest.remove_prefix(is_more ? comma + 1 : rest.size());
    const std::size_t dash = item.find('-');
    const auto first = decimal_integer<std::uint64_t>(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : decimal_integer<std::uint64_t>(item.substr(dash + 1));
    if (!first || !last || *last < *first) {
      refuse();
    }
    if (*last - *first >= most || seeds.size() + (*last - *first) >= most) {
      throw_error(Error::Kind::usage, "{} {}: are more than {} seeds", option, text, most);
    }
    for (std::uint64_t seed = *first;; ++seed) {
      seeds.push_back(seed);
      if (seed == *last) {  // compared so, because the last one may be the greatest there is
        break;
      }
    }
  }
  return seeds;
}

std::vector<float> first_latent(Context& context, std::uint64_t seed, int size) {
  return sampled_latents(context, seed, 1, size);
}

std::vector<float> sampled_latents(Context& context, std::uint64_t seed, int count, int size) {
  Buffer counter(context, sizeof(std::int64_t));
  Buffer latents(context, static_cast<std::size_t>(Sampler::kBatch) * static_cast<std::size_t>(size) * sizeof(float));
  const View view = latents.view({Sampler::kBatch, size}, DType::f32);
  std::vector<float> all;
  for (std::int64_t batch = 0; batch * Sampler::kBatch < count; ++batch) {
    upload<std::int64_t>(context, counter.view({1}, DType::i64), std::array{batch});
    random_normal(context, {seed, Purpose::sample_latents}, counter.view({1}, DType::i64), view);
    const std::vector<float> values = download<float>(context, view);
    all.insert(all.end(), values.begin(), values.end());
  }
  all.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(size));
  return all;
}

std::vector<float> slerp(std::span<const float> a, std::span<const float> b, double t) {
  check(a.size() == b.size(), "slerp: {} and {} numbers", a.size(), b.size());
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
    ab += double{a[i]} * b[i];
  }
  const double angle = aa > 0 && bb > 0 ? std::acos(std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0)) : 0;
  const double sine = std::sin(angle);
  const bool is_straight = sine < 1e-6;
  const double of_a = is_straight ? 1 - t : std::sin((1 - t) * angle) / sine;
  const double of_b = is_straight ? t : std::sin(t * angle) / sine;
  std::vector<float> point(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    point[i] = static_cast<float>(of_a * a[i] + of_b * b[i]);
  }
  return point;
}

}  // namespace duel
