// state.json, the part of a checkpoint for people and for loading without its data: whose state it is, and of what.
//
//   {"format": 2, "step": N, "seed": S, "recipe": "gan", "data": "60000 pictures of 28x28x1, crc32c ...",
//    "fields": {"main": [{"name": "picture", "kind": "picture", "shape": [28,28,1], "dtype": "u8"},
//                        {"name": "label", "kind": "label", "shape": [], "dtype": "i32", "names": ["Bag", ...]}]}}
//
// Format 1 had neither recipe nor fields: it is of the recipe "gan", and its pictures' shape stands in "data".
#pragma once

#include "host/recipes/recipe.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace duel {

struct CheckpointState {
  std::int64_t step = 0;
  std::uint64_t seed = 0;
  std::string data;  // which rows it was trained on
  std::string recipe = "gan";
  Fields fields = {};  // of the sources it was trained on
};

void write_manifest(const CheckpointState& state, const std::filesystem::path& folder);
// Throws kind `data` where it is no manifest of a format that this program reads.
CheckpointState read_manifest(const std::filesystem::path& folder);

// Throws kind `data`, naming what differs, where a checkpoint of `state` is of another seed, data, recipe or class
// names than `expected`.
void check_same_training(const CheckpointState& state, const CheckpointState& expected,
                         const std::filesystem::path& folder);

// Of a row, the shape of its pictures [1,H,W,C]. Throws kind `data` where the manifest does not say it.
Shape picture_shape(const CheckpointState& state, const std::filesystem::path& folder);

inline constexpr const char* kManifestFile = "state.json";

}  // namespace duel
