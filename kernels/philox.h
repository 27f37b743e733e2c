// Philox4x32-10, the counter-based generator behind every random number here (Salmon, Moraes, Dror, Shaw: "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011), and the shuffling built on it.
//
// Nothing is stored: a number is a function of the seed, of what it is for, of the step and of its place. So a run
// can be resumed bit for bit, and a GPU draws the same integers as a CPU.
#pragma once

#include <array>
#include <cstdint>

namespace duel {

// What numbers are drawn for. The values are part of the checkpoint format: never renumber.
enum class Purpose : std::uint32_t {
  initial_weights = 1,
  d_latents = 2,       // latents of the discriminator's phase
  g_latents = 3,       // latents of the generator's phase
  d_reals = 4,         // order of the pictures in the discriminator's phase
  g_reals = 5,         // and in the generator's
  sample_latents = 6,  // fixed latents of the sample sheets, and those of `duel generate`
  interpolation = 7,   // mixing weights of the gradient penalty
};

using PhiloxBlock = std::array<std::uint32_t, 4>;

// Ten rounds over counter (4 words) and key (2 words).
constexpr PhiloxBlock philox(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

// Four numbers: those of place 4*block .. 4*block+3 in the array drawn for `purpose` at `step`.
constexpr PhiloxBlock philox(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint32_t block) {
  return philox({block, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(step),
                 static_cast<std::uint32_t>(step >> 32)},
                static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

// 32 random bits as a float in (0, 1): the centre of one of 2^23 equal intervals, so never 0 nor 1.
constexpr float unit_float(std::uint32_t bits) {
  return (static_cast<float>(bits >> 9) + 0.5F) * 0x1.0p-23F;
}

// A permutation of 0..count-1 that depends on `key` (one block drawn per epoch): where place `index` of the epoch
// takes its picture from. A four-round Feistel network on the next even number of bits, walked until it lands below
// `count` (Black & Rogaway, "Ciphers with arbitrary finite domains", 2002); at most 4 walks on average.
constexpr std::uint32_t permute_index(const PhiloxBlock& key, std::uint32_t count, std::uint32_t index) {
  int half_bits = 1;
  while ((std::uint64_t{1} << (2 * half_bits)) < count) {
    ++half_bits;
  }
  const std::uint32_t mask = (std::uint32_t{1} << half_bits) - 1;
  do {
    std::uint32_t left = index >> half_bits;
    std::uint32_t right = index & mask;
    for (const std::uint32_t round_key : key) {
      std::uint32_t mixed = (right ^ round_key) * 0x85EBCA6BU;  // MurmurHash3's finaliser as the round function
      mixed = (mixed ^ (mixed >> 13)) * 0xC2B2AE35U;
      mixed ^= mixed >> 16;
      const std::uint32_t next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    index = (left << half_bits) | right;
  } while (index >= count);
  return index;
}

}  // namespace duel
