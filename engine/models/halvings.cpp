#include "engine/models/halvings.h"

#include "kernels/check.h"

#include <algorithm>
#include <limits>

namespace duel {

Halvings::Halvings(const char* networks, const HalvingConfig& c, int least_filters)
    : filters_(c.filters), height_(c.height), width_(c.width) {
  constexpr int kSmallest = 4;
  const int shorter = std::min(c.height, c.width);
  if (shorter < 2 * kSmallest) {
    throw_error(Error::Kind::usage, "{}: pictures are {}x{}, but height and width must be at least {}", networks,
                c.height, c.width, 2 * kSmallest);
  }
  while ((shorter >> count_) >= 2 * kSmallest) {
    ++count_;
  }
  const int unit = 1 << count_;
  if (c.height % unit != 0 || c.width % unit != 0) {
    const auto below = [unit](int extent) { return extent / unit * unit; };
    const auto above = [unit](int extent) { return (extent + unit - 1) / unit * unit; };
    throw_error(Error::Kind::usage,
                "{}: pictures are {}x{}, which are halved {} times, so height and width must be multiples of {}, such "
                "as {}x{} or {}x{}",
                networks, c.height, c.width, count_, unit, below(c.height), below(c.width), above(c.height),
                above(c.width));
  }
  if (c.channels < 1 || c.channels > 4) {
    throw_error(Error::Kind::usage, "{}: pictures have {} channels, but must have 1 to 4", networks, c.channels);
  }
  if (c.latent < 1 || c.filters < least_filters || c.classes < 0) {
    throw_error(Error::Kind::usage, "{}: {} latents must be at least 1, {} filters at least {}, {} classes at least 0",
                networks, c.latent, c.filters, least_filters, c.classes);
  }
  height_ /= unit;
  width_ /= unit;
  const std::int64_t numbers = (std::int64_t{height_} * width_ * c.filters) << std::min(count_ - 1, 3);
  if (numbers > std::numeric_limits<int>::max()) {
    throw_error(Error::Kind::usage,
                "{}: {} filters of {}x{} pictures are {} numbers, but at most {} go into a dense layer; fewer filters "
                "are needed",
                networks, c.filters, c.height, c.width, numbers, std::numeric_limits<int>::max());
  }
}

}  // namespace duel
