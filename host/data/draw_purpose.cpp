#include "host/data/draw_purpose.h"

#include "kernels/check.h"

#include <cstdint>
#include <map>
#include <utility>

namespace duel {

namespace {

constexpr std::pair<std::string_view, Purpose> kNamed[] = {{"initial_weights", Purpose::initial_weights},
                                                           {"d_latents", Purpose::d_latents},
                                                           {"g_latents", Purpose::g_latents},
                                                           {"d_reals", Purpose::d_reals},
                                                           {"g_reals", Purpose::g_reals},
                                                           {"sample_latents", Purpose::sample_latents},
                                                           {"shares", Purpose::interpolation}};

constexpr std::uint32_t kHashed = 0x80000000U;

}  // namespace

Purpose purpose_of_draw(std::string_view name) {
  for (const auto& [known, purpose] : kNamed) {
    if (known == name) {
      return purpose;
    }
  }
  std::uint32_t hash = 2166136261U;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  }
  return static_cast<Purpose>(hash | kHashed);
}

std::string batch_draw_name(const std::string& source, const std::string& draw) {
  return source == "main" ? draw : source + "/" + draw;
}

void check_distinct_draws(const std::vector<std::string>& names) {
  std::map<Purpose, std::string> taken;
  for (const std::string& name : names) {
    const auto [other, is_new] = taken.emplace(purpose_of_draw(name), name);
    check(is_new || other->second == name, "the draws '{}' and '{}' would draw the same numbers; rename one of them",
          other->second, name);
  }
}

}  // namespace duel
