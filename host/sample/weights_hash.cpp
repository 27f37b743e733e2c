#include "host/sample/weights_hash.h"

#include "host/files/crc32c.h"
#include "kernels/memory.h"

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

std::string weights_hash(Context& context, const LoadedSampling& loaded) {
  std::uint32_t hash = 0;
  const auto add = [&](const View& view) {
    const std::vector<float> values = download<float>(context, view);
    hash = crc32c(std::as_bytes(std::span(values)), hash);
  };
  for (const std::string& name : loaded.sampling.networks) {
    const NamedNetwork& each = loaded.networks.at(name);
    const Parameters& parameters = each.network->parameters();
    const auto block = each.is_averaged ? Parameters::Block::average : Parameters::Block::master;
    for (const Parameter& parameter : parameters.list()) {
      add(parameters.view(block, parameter));
    }
  }
  for (const StateMemory::Array& array : loaded.state.arrays()) {
    add(array.view);
  }
  return fmt::format("{:08x}", hash);
}

}  // namespace duel
