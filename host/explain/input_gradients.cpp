#include "host/explain/input_gradients.h"

namespace duel {

std::vector<float> input_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions) {
  std::vector<float> all;
  all.reserve(questions.pictures.size());
  network.ask(context, questions, [&](std::int64_t, const AnsweringNetwork::Row& answer) {
    all.insert(all.end(), answer.gradient.begin(), answer.gradient.end());
  });
  return all;
}

}  // namespace duel
