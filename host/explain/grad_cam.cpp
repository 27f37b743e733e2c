#include "host/explain/grad_cam.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstddef>

namespace duel {

std::vector<float> grad_cam(Context& context, const AnsweringNetwork& network, const Questions& questions) {
  check(network.map().rank() == 4, "grad-cam: the network has no map");
  const auto channels = static_cast<std::size_t>(network.map().back());
  const std::size_t places = static_cast<std::size_t>(network.map().count()) / channels;
  std::vector<float> all;
  network.ask(context, questions, [&](std::int64_t, const AnsweringNetwork::Row& answer) {
    std::vector<double> weights(channels);
    for (std::size_t i = 0; i < answer.map_gradient.size(); ++i) {
      weights[i % channels] += static_cast<double>(answer.map_gradient[i]) / static_cast<double>(places);
    }
    for (std::size_t place = 0; place < places; ++place) {
      double sum = 0;
      for (std::size_t c = 0; c < channels; ++c) {
        sum += weights[c] * static_cast<double>(answer.map[place * channels + c]);
      }
      all.push_back(static_cast<float>(std::max(sum, 0.0)));
    }
  });
  return all;
}

}  // namespace duel
