// Units: the channels of a network's last map, each by the pictures that it answers to most strongly (Erhan et al.,
// "Visualizing higher-layer features of a deep network", 2009, their "maximally activating samples") and by what the
// logit becomes without it.
#pragma once

#include "engine/program/execution.h"
#include "host/explain/answering_network.h"
#include "host/sample/sampler.h"
#include "kernels/memory.h"

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

// The forward pass in two parts: pictures to the last map, and from a map, as it was or changed, to logits.
class MapSurgery {
public:
  static constexpr int kRows = AnsweringNetwork::kRows;

  // The model outlives this; its network has a last map, or an error of kind `internal` is thrown.
  MapSurgery(Context& context, const SamplingModel& model, Parameters::Block block);

  // Of at most kRows pictures [N,H,W,C] and the classes that the network is told: the map [N,h,w,C].
  std::vector<float> map_of(Context& context, std::span<const float> pictures, std::span<const std::int32_t> labels);
  // The logits [N,K] of the pictures of the last map_of(), whose map is now this one.
  std::vector<float> logits_from(Context& context, std::span<const float> map);

  const Shape& map() const { return map_shape_; }  // [1,h,w,C]
  int logits() const { return logits_count_; }

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block);

  Shape picture_, map_shape_;
  int logits_count_ = 0;
  Value map_, logits_;
  std::size_t behind_ = 0;  // the first node behind that which makes the map
  Execution execution_;
  Buffer pictures_, labels_, arena_;
};

// A channel, over all pictures.
struct Unit {
  int channel = 0;
  double activation = 0;  // its mean over places and pictures
  double effect = 0;      // the mean of how much the channel adds to the logit that each picture is asked about: the
                          // logit less that with zeros in place of the channel
  struct Answering {
    std::int64_t picture = 0;
    double activation = 0, effect = 0;  // of it, as above
  };
  std::vector<Answering> strongest;  // the pictures with the greatest activations, the greatest first
};

// Every channel, in order; `strongest` pictures of each, or as many as there are. Pictures arrive in any number of
// calls of add(), so that memory grows by two numbers of each picture and channel alone.
class UnitViews {
public:
  UnitViews(Context& context, const SamplingModel& model, Parameters::Block block);

  void add(Context& context, const Questions& questions);
  std::vector<Unit> units(std::size_t strongest) const;
  // The channel on the maps of at most MapSurgery::kRows pictures: [N,h,w].
  std::vector<float> channel_of(Context& context, const Questions& questions, int channel);
  const Shape& map() const { return surgery_.map(); }  // [1,h,w,C]

private:
  void add_batch(Context& context, const Questions& questions);

  MapSurgery surgery_;
  std::int64_t pictures_ = 0;
  std::vector<float> activations_, effects_;  // [pictures,channels]
};

}  // namespace duel
