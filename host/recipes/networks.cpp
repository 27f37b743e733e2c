#include "host/recipes/networks.h"

#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

Parameters::Blocks blocks_for_training(const NamedNetwork& each, bool has_compute) {
  Parameters::Blocks blocks;
  blocks.training = each.is_trained;
  blocks.average = each.is_averaged;
  blocks.compute = has_compute;
  return blocks;
}

}  // namespace

const NamedNetwork& Networks::at(std::string_view name) const {
  const auto found =
      std::find_if(list_.begin(), list_.end(), [&](const NamedNetwork& each) { return each.network->name() == name; });
  check(found != list_.end(), "networks: there is none called {}", name);
  return *found;
}

void Networks::allocate_for_training(Context& context, bool has_compute) const {
  for (const NamedNetwork& each : list_) {
    each.network->parameters().allocate(context, blocks_for_training(each, has_compute));
  }
}

void Networks::initialize(Context& context, std::uint64_t seed) const {
  for (std::size_t i = 0; i < list_.size(); ++i) {
    list_[i].network->parameters().initialize(context, seed, static_cast<std::uint32_t>(i));
  }
}

void Networks::add_to(Storage& storage) const {
  for (const NamedNetwork& each : list_) {
    each.network->parameters().add_to(storage);
  }
}

std::size_t Networks::allocated_bytes() const {
  std::size_t bytes = 0;
  for (const NamedNetwork& each : list_) {
    bytes += each.network->parameters().allocated_bytes();
  }
  return bytes;
}

std::size_t Networks::training_bytes(bool has_compute) const {
  std::size_t bytes = 0;
  for (const NamedNetwork& each : list_) {
    bytes += each.network->parameters().bytes_of(blocks_for_training(each, has_compute));
  }
  return bytes;
}

std::vector<NetworkTable> Networks::tables() const {
  std::vector<NetworkTable> tables;
  for (const NamedNetwork& each : list_) {
    const Parameters& parameters = each.network->parameters();
    NetworkTable table{parameters.network(), parameters.parameter_count(), {}};
    for (const Parameter& parameter : parameters.list()) {
      table.rows.push_back({parameter.name, parameter.shape});
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace duel
