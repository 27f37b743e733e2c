// duel_launches: what one training step starts on a GPU, as JSON, without one: for every recorded node its kernels with
// grid, block, shared memory and arguments, as the launchers choose them for a device with so many multiprocessors, and
// the least bytes and operations of the node. predict.py makes times of it.
//
// The lines of --parameters are "kernel offset:bytes offset:bytes ...", as predict.py finds them in the machine code.
#include "emulator/runtime.h"
#include "host/config/configuration.h"
#include "host/data/open_dataset.h"
#include "host/device/device.h"
#include "host/train/trainer.h"
#include "kernels/check.h"
#include "profiling/launch_recorder.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

std::map<std::string, std::vector<ParameterPlace>> read_parameters(const std::string& path) {
  std::map<std::string, std::vector<ParameterPlace>> places;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string kernel;
    words >> kernel;
    std::vector<ParameterPlace>& list = places[kernel];
    char colon = 0;
    for (ParameterPlace place; words >> place.offset >> colon >> place.bytes;) {
      list.push_back(place);
    }
  }
  return places;
}

Json to_json(const RecordedLaunch& launch) {
  std::string hex;
  for (const std::uint8_t byte : launch.arguments) {
    hex += fmt::format("{:02x}", byte);
  }
  return {{"kernel", launch.kernel},
          {"grid", launch.grid},
          {"block", launch.block},
          {"shared", launch.shared_bytes},
          {"overlaps", launch.overlaps_previous},
          {"cluster", launch.cluster},
          {"arguments", hex}};
}

Json launches_of(Context& context, const char* phase, const Execution& execution) {
  Json nodes = Json::array();
  LaunchRecorder::take();
  execution.run(context, [&](std::size_t index) {
    const Program& program = execution.program();
    const Node& node = program.nodes()[index];
    const Cost cost = program.cost(node);
    Json launches = Json::array();
    for (const RecordedLaunch& launch : LaunchRecorder::take()) {
      launches.push_back(to_json(launch));
    }
    nodes.push_back({{"phase", phase},
                     {"op", node.op},
                     {"arrays", program.arrays(node)},
                     {"place", program.place(node)},
                     {"flops", cost.flops},
                     {"bytes", cost.bytes},
                     {"launches", launches}});
  });
  return nodes;
}

Json record(Options options) {
  // Pictures of Fashion-MNIST's shape, none of which is ever looked at.
  options.data.source = "synthetic";
  options.device = "cuda:0";
  options.kernels = "ours";
  options.schedule.lanes = 1;
  Context context = make_context(options);
  const Data dataset = open_dataset(options.data);
  Trainer trainer(context, options, dataset);
  Json nodes = Json::array();
  for (const StepPhase& phase : trainer.phases()) {
    for (const Json& node : launches_of(context, phase.recorded.name.c_str(), phase.execution)) {
      nodes.push_back(node);
    }
  }
  return {
      {"preset", options.preset}, {"precision", options.precision}, {"batch", options.train.batch}, {"nodes", nodes}};
}

}  // namespace

}  // namespace duel

int main(int argc, char** argv) {
  CLI::App app("What one training step starts on a GPU, as JSON");
  std::string preset = "classic", precision = "bf16", parameters;
  std::vector<std::string> settings;
  int multiprocessors = 132;
  app.add_option("--preset", preset, "classic or steady");
  app.add_option("--precision", precision, "fp32, tf32 or bf16");
  app.add_option("--set", settings, "key=value, as for duel train");
  app.add_option("--multiprocessors", multiprocessors, "of the GPU; an H100 has 132");
  app.add_option("--parameters", parameters, "file that says where kernels have their arguments");
  CLI11_PARSE(app, argc, argv);
  try {
    duel::emulator::runtime().multiprocessors = multiprocessors;
    duel::LaunchRecorder::set_parameters(duel::read_parameters(parameters));
    settings.push_back("precision=" + precision);
    std::vector<duel::Setting> parsed;
    std::transform(settings.begin(), settings.end(), std::back_inserter(parsed), duel::parse_setting);
    std::puts(duel::record(duel::resolve_options(preset, "", parsed)).dump().c_str());
  } catch (const duel::Error& error) {
    fmt::print(stderr, "duel_launches: {}\n", error.what());
    return error.kind() == duel::Error::Kind::usage ? 2 : 1;
  }
  return 0;
}
