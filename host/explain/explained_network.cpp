#include "host/explain/explained_network.h"

#include "host/config/configuration.h"
#include "host/files/atomic_file.h"
#include "host/run/run_directory.h"
#include "host/run/weights_hash.h"
#include "host/sample/class_choice.h"
#include "host/sample/generate.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace duel {

namespace {

// The network that is asked for, from pictures in f32.
Sampling chosen(const Recipe& recipe, const ExplainRequest& request, std::string& name) {
  const std::map<std::string, Sampling> networks = recipe.answering_networks();
  if (networks.empty()) {
    throw_error(Error::Kind::usage,
                "{}: is a run of the recipe {}, which trains no classifier and no discriminator, so there is no answer "
                "to explain",
                request.run, recipe.name());
  }
  std::vector<std::string> names;
  for (const auto& each : networks) {
    names.push_back(each.first);
  }
  const auto found =
      request.network.empty() && networks.size() == 1 ? networks.begin() : networks.find(request.network);
  if (found == networks.end()) {
    throw_error(Error::Kind::usage,
                "--network {}: the run {} of the recipe {} has no such network that answers; it has: {}",
                request.network.empty() ? "\"\"" : request.network, request.run, recipe.name(), fmt::join(names, ", "));
  }
  name = found->first;
  Sampling sampling = found->second;
  sampling.inputs[0].dtype = DType::f32;
  return sampling;
}

int class_named(const ExplainRequest& request, const std::vector<std::string>& classes) {
  const std::vector<std::vector<float>> shares = class_shares({{request.class_name}, ""}, classes, request.run);
  if (shares.size() != 1) {
    throw_error(Error::Kind::usage, "--class {}: names {} classes, but one is explained at a time", request.class_name,
                shares.size());
  }
  return static_cast<int>(std::max_element(shares[0].begin(), shares[0].end()) - shares[0].begin());
}

}  // namespace

std::vector<double> ExplainedNetwork::probabilities(std::span<const float> logits) const {
  std::vector<double> values;
  if (is_of_judge()) {
    return values;
  }
  const auto greatest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) {
    const auto its = static_cast<double>(logit);
    values.push_back(is_of_tags() ? 1 / (1 + std::exp(-its)) : std::exp(its - greatest));
    sum += values.back();
  }
  for (double& value : values) {
    value /= is_of_tags() ? 1 : sum;
  }
  return values;
}

ExplainedNetwork load_explained(const ExplainRequest& request, Context& context) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  ExplainedNetwork network;
  network.block = request.raw ? Parameters::Block::master : Parameters::Block::average;
  const auto choose = [&](const Recipe& recipe) { return chosen(recipe, request, network.name); };
  network.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    const std::filesystem::path config = run.config_path(checkpoint);
    network.options = options_from_toml(read_text_file(config), config.string());
    network.loaded = std::make_unique<LoadedSampling>(context, run, checkpoint, 0, choose);
    network.weights = weights_hash(checkpoint, network.name);
  });
  network.options.threads = request.where.threads;
  const Sampling& sampling = network.loaded->sampling;
  network.names = sampling.outputs[0].names;
  if (sampling.inputs.size() > 1) {
    network.told_names = sampling.inputs[1].names;
  }
  if (!request.class_name.empty()) {
    network.asked = class_named(request, network.is_of_judge() ? network.told_names : network.names);
  } else if (!network.told_names.empty()) {
    throw_error(Error::Kind::usage,
                "{}: its {} judges whether a picture is a real one of its class, so --class says of "
                "which (there are {})",
                request.run, network.name, fmt::join(network.told_names, ", "));
  }
  return network;
}

}  // namespace duel
