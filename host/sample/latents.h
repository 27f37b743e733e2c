// Latent vectors that are chosen one by one, and ways between them.
#pragma once

#include "kernels/context.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

// "1,5,9-12": integers from 0 to 2^64 - 1 and ranges of them, in the order given. `option` names the list in errors, of
// kind `usage`: no such list, or more than `most` seeds.
std::vector<std::uint64_t> parse_seeds(const std::string& option, const std::string& text, std::size_t most);

// The latent of picture 0 of a seed, as Sampler draws it on this context's device: [size].
std::vector<float> first_latent(Context& context, std::uint64_t seed, int size);
// Those of pictures 0 to count - 1: [count,size].
std::vector<float> sampled_latents(Context& context, std::uint64_t seed, int count, int size);

// The point at share t of the way from a (t = 0) to b (t = 1) on a great circle: latents of a normal distribution lie
// near a sphere, and a straight line would leave it. Shoemake, "Animating rotation with quaternion curves", 1985.
// Where the two are parallel or opposite, which leaves no one circle, the straight line is taken.
std::vector<float> slerp(std::span<const float> a, std::span<const float> b, double t);

}  // namespace duel
