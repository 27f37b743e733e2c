// What the latents of a generator hold: directions in which its pictures change, ways between latents and between
// classes, and what shrinking a latent does.
#pragma once

#include "host/config/device_request.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace duel {

inline constexpr int kMostDirections = 64;
inline constexpr int kMostWayFrames = 1000;

struct ExplorationRequest {
  std::string run;
  std::string out;            // a folder that does not exist yet, or is empty
  int directions = 8;         // of each kind
  double span = 3;            // deviations that a direction is gone to both sides
  double truncation = 1;      // latents are multiplied by it, towards the mean of all, 0
  std::string way = "slerp";  // between latents: "slerp", on a great circle, or "linear"
  int ways = 4;               // seeds that the animation leads past, and back to the first
  int frames = 16;            // from one of them to the next
  std::string class_name;     // of a run by class: of the directions' pictures; "" for the first
  std::uint64_t seed = 0;     // of the latents: those of `duel generate --seed`
  std::optional<std::int64_t> step;
  bool raw = false;
  DeviceRequest where;
};

struct Exploration {
  struct Kind {
    std::string name;            // "sefa", "pca"
    std::vector<double> shares;  // of each direction
  };

  std::string run;
  std::int64_t step = 0;
  std::string weights;
  int latent = 0;
  std::string layer;  // whose matrix and features the directions are of
  std::vector<Kind> kinds;
  std::vector<std::string> files;  // in the folder
  std::vector<std::string> notes;
};

// Writes into the folder, which appears whole or not at all:
//   sefa.png, pca.png         a row for each direction, from -span to +span deviations
//   directions.safetensors    "sefa" and "pca", f32 [directions,latent], unit vectors
//   truncation.png            a row for each latent, multiplied by 0 to 1.25
//   way.png, way.gif          from latent to latent; of a run by class a row or a place for each class (ten at most)
//   class_mixes.png           of a run by class: a row from each class to the next one, always the same latent
// None where a signal came. Throws kind `usage` for a request that cannot be meant, `data` where the run cannot be read
// or nothing be written.
std::optional<Exploration> explore(const ExplorationRequest& request);

std::string to_text(const Exploration& exploration, const std::string& out);

}  // namespace duel
