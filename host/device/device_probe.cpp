#include "host/device/device_probe.h"

#include "host/device/choice_cache.h"
#include "host/files/atomic_file.h"
#include "host/files/cache_folder.h"
#include "host/files/lower_case.h"
#include "kernels/check.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <system_error>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kL2Megabytes = 64;      // what an L2 holds at most on the GPUs that are known: 40 to 60 MB
constexpr double kProbedMegabytes = 16;  // of the array that the probe reads there

Json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    throw_error(Error::Kind::data, "{}: cannot be read", file.string());
  }
  try {
    return Json::parse(stream);
  } catch (const Json::exception& error) {
    throw_error(Error::Kind::data, "{}: is no JSON ({})", file.string(), error.what());
  }
}

DeviceProbe probe_of(const Json& json, const std::filesystem::path& file) {
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    if (found == json.end()) {
      return 0.0;
    }
    const double value = found->is_number() ? found->get<double>() : -1;
    if (!(value >= 0)) {
      throw_error(Error::Kind::data, "{}: {} is {}, but must be a number of at least 0", file.string(), name,
                  found->dump());
    }
    return value;
  };
  DeviceProbe probe;
  if (!json.is_object() || !json.contains("device") || !json["device"].is_string()) {
    throw_error(Error::Kind::data, "{}: names no \"device\", as a probe's output does", file.string());
  }
  probe.device = json["device"];
  probe.copy_gigabytes_per_second = number("copy_gigabytes_per_second");
  if (probe.copy_gigabytes_per_second <= 0) {
    throw_error(Error::Kind::data, "{}: has no \"copy_gigabytes_per_second\", as a probe's output has", file.string());
  }
  probe.l2_gigabytes_per_second = std::max(number("l2_cg_gigabytes_per_second"), number("l2_ca_gigabytes_per_second"));
  probe.bf16_mma_tflops = number("bf16_mma_tflops");
  probe.nodes = {number("node_us"), number("node_overlapped_us"), number("two_lanes_node_us"), number("handover_us")};
  return probe;
}

Json json_of(const DeviceProbe& probe) {
  return {{"device", probe.device},
          {"copy_gigabytes_per_second", probe.copy_gigabytes_per_second},
          {"l2_cg_gigabytes_per_second", probe.l2_gigabytes_per_second},
          {"bf16_mma_tflops", probe.bf16_mma_tflops},
          {"node_us", probe.nodes.node},
          {"node_overlapped_us", probe.nodes.node_overlapped},
          {"two_lanes_node_us", probe.nodes.two_lanes_node},
          {"handover_us", probe.nodes.handover}};
}

}  // namespace

DeviceProbe read_probe(const std::filesystem::path& file) {
  return probe_of(read_json(file), file);
}

Ceilings ceilings_of(const DeviceProbe& probe) {
  Ceilings ceilings;
  std::string products = "products by its own loop, f32 and tf32 not known";
  for (const std::string& name : known_ceiling_names()) {
    if (in_lower_case(probe.device).find(name) != std::string::npos) {
      ceilings = known_ceilings(name);
      products = "products of " + name;
    }
  }
  ceilings.source = fmt::format("a probe of {}, {}", probe.device, products);
  ceilings.gigabytes_per_second = probe.copy_gigabytes_per_second;
  ceilings.bf16 = std::max(ceilings.bf16, probe.bf16_mma_tflops);
  if (probe.l2_gigabytes_per_second > 0) {
    ceilings.by_size = {{kProbedMegabytes, probe.l2_gigabytes_per_second},
                        {kL2Megabytes, probe.copy_gigabytes_per_second}};
  }
  ceilings.nodes = probe.nodes;
  return ceilings;
}

LaneCosts lane_costs_of(const DeviceProbe& probe) {
  LaneCosts costs;
  constexpr double kShareOfProducts = 1.0 / 16;  // what a step's products reach, as the usual value is of an H100's
  const auto take = [](double& cost, double measured) { cost = measured > 0 ? measured : cost; };
  take(costs.launch, probe.nodes.node);
  take(costs.handover, probe.nodes.handover);
  take(costs.bytes_per_us, 1e3 * probe.copy_gigabytes_per_second);
  take(costs.flops_per_us, 1e6 * kShareOfProducts * probe.bf16_mma_tflops);
  return costs;
}

std::filesystem::path remembered_probes_path() {
  const std::filesystem::path choices = ChoiceCache::default_path();
  return choices.empty() ? choices : choices.parent_path() / "probes.json";
}

namespace {

bool is_there(const std::filesystem::path& store) {
  std::error_code failure;  // a folder above it that may not be read, too
  return !store.empty() && std::filesystem::exists(store, failure);
}

}  // namespace

void remember_probe(const std::filesystem::path& store, const DeviceProbe& probe) {
  if (store.empty()) {
    throw_error(Error::Kind::data, "--remember: there is nowhere to remember: {}", kNowhere);
  }
  Json all = is_there(store) ? read_json(store) : Json::object();
  all[probe.device] = json_of(probe);
  create_folder(store.parent_path());
  write_file_atomically(store, all.dump(1) + "\n");
}

std::optional<DeviceProbe> remembered_probe(const std::filesystem::path& store, const std::string& context_name) {
  if (!is_there(store)) {
    return std::nullopt;
  }
  const Json all = read_json(store);
  for (const auto& [device, probe] : all.items()) {
    if (context_name.ends_with("(" + device + ")")) {
      return probe_of(probe, store);
    }
  }
  return std::nullopt;
}

}  // namespace duel
