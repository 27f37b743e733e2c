// What duel_probe (profiling) measured on a GPU, in a JSON file; and those probes that a person had remembered, by the
// GPU's name, from which lanes are planned there. Programs write none by themselves.
#pragma once

#include "engine/program/lanes.h"
#include "host/device/ceilings.h"

#include <filesystem>
#include <optional>
#include <string>

namespace duel {

struct DeviceProbe {
  std::string device;  // "NVIDIA H100 80GB HBM3"
  double copy_gigabytes_per_second = 0;
  double l2_gigabytes_per_second = 0;  // 0: not measured, as all below
  double bf16_mma_tflops = 0;
  NodeCosts nodes;
};

// Throws kind `data` where the file is none, naming what is missing or wrong.
DeviceProbe read_probe(const std::filesystem::path& file);

// Memory and L2 as measured. Of products the known figures of such a GPU, or what the probe's loop reached where that
// is more; f32 and TF32 of a GPU that is not known stay unknown.
Ceilings ceilings_of(const DeviceProbe& probe);

// What was not measured keeps its usual value.
LaneCosts lane_costs_of(const DeviceProbe& probe);

// probes.json beside kernels.json (choice_cache.h).
std::filesystem::path remembered_probes_path();
void remember_probe(const std::filesystem::path& store, const DeviceProbe& probe);
// Of a context's name, "cuda:0 (NVIDIA H100 80GB HBM3)". None where there is no such file, or nothing of that GPU in
// it.
std::optional<DeviceProbe> remembered_probe(const std::filesystem::path& store, const std::string& context_name);

}  // namespace duel
