#include "tools/verbs/program_listing.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<ListedArray>& arrays) {
  std::string text;
  for (const ListedArray& array : arrays) {
    text += (text.empty() ? "" : ", ") + to_string(array);
  }
  return text;
}

std::string cost_text(const Cost& cost) {
  return fmt::format("{:.3f} MFLOP, {:.3f} MB", cost.flops / 1e6, cost.bytes / 1e6);
}

Json to_json(const ListedArray& array) {
  if (array.value < 0) {
    return {};
  }
  Json object = {{"value", array.value},
                 {"type", name_of(array.dtype)},
                 {"shape", std::vector<int>(array.shape.begin(), array.shape.end())}};
  if (!array.name.empty()) {
    object["name"] = array.name;
  }
  if (array.bound.exists()) {
    object["storage"] = array.bound.storage;
    object["offset"] = array.bound.offset;
  }
  if (array.is_changed) {
    object["changed"] = true;
  }
  return object;
}

Json to_json(const std::vector<ListedArray>& arrays) {
  Json list = Json::array();
  for (const ListedArray& array : arrays) {
    list.push_back(to_json(array));
  }
  return list;
}

Json to_json(const Attributes& attributes) {
  Json object = Json::object();
  for (const Attribute& each : attributes) {
    std::visit([&](const auto& content) { object[each.name] = content; }, each.value);
  }
  return object;
}

}  // namespace

void print_listing(const std::vector<ListedPhase>& phases) {
  for (const ListedPhase& phase : phases) {
    fmt::print("{}: {} nodes, {}\n", phase.name, phase.nodes.size(), cost_text(phase.cost));
    for (const ListedNode& node : phase.nodes) {
      fmt::print("{:>4}  {}{}{}\n", node.number, node.op, node.attributes.empty() ? "" : "  ",
                 to_string(node.attributes));
      fmt::print("      {} -> {}\n", joined(node.inputs), node.outputs.empty() ? "nothing" : joined(node.outputs));
      fmt::print("      {}; {}\n", node.place, cost_text(node.cost));
    }
  }
}

void print_listing_json(const std::vector<ListedPhase>& phases) {
  Json list = Json::array();
  for (const ListedPhase& phase : phases) {
    Json nodes = Json::array();
    for (const ListedNode& node : phase.nodes) {
      nodes.push_back({{"number", node.number},
                       {"op", node.op},
                       {"parameters", to_json(node.attributes)},
                       {"inputs", to_json(node.inputs)},
                       {"outputs", to_json(node.outputs)},
                       {"place", node.place},
                       {"flops", node.cost.flops},
                       {"bytes", node.cost.bytes}});
    }
    list.push_back({{"name", phase.name}, {"flops", phase.cost.flops}, {"bytes", phase.cost.bytes}, {"nodes", nodes}});
  }
  fmt::print("{}\n", Json{{"phases", list}}.dump(2));
}

}  // namespace duel
