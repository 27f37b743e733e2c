// The networks of a recipe, by name and in the recipe's order, which is that of checkpoints too.
#pragma once

#include "engine/nn/network.h"
#include "kernels/context.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

// What recipes of one generator and one discriminator call them.
inline constexpr const char* kGenerator = "generator";
inline constexpr const char* kDiscriminator = "discriminator";

struct NamedNetwork {
  std::unique_ptr<Network> network;
  bool is_averaged = false;  // keeps an exponential moving average of its weights
  bool is_trained = true;    // false: frozen
};

// What a network is made of, for people and programs.
struct NetworkTable {
  struct Row {
    std::string name;
    Shape shape;
  };
  std::string network;
  std::int64_t parameter_count = 0;
  std::vector<Row> rows;
};

class Networks {
public:
  Networks() = default;
  explicit Networks(std::vector<NamedNetwork> list) : list_(std::move(list)) {}

  const std::vector<NamedNetwork>& list() const { return list_; }
  // Throws kind `internal` where there is none of that name.
  const NamedNetwork& at(std::string_view name) const;
  const Network& operator[](std::string_view name) const { return *at(name).network; }
  Parameters& parameters(std::string_view name) const { return at(name).network->parameters(); }

  // Gives each network the blocks of parameters that its training needs; `has_compute`: in bf16.
  void allocate_for_training(Context& context, bool has_compute) const;
  // Draws the starting weights of each, and clears what its optimiser keeps.
  void initialize(Context& context, std::uint64_t seed) const;
  void add_to(Storage& storage) const;
  std::size_t allocated_bytes() const;
  std::size_t training_bytes(bool has_compute) const;  // what allocate_for_training() will take

  std::vector<NetworkTable> tables() const;

private:
  std::vector<NamedNetwork> list_;
};

}  // namespace duel
