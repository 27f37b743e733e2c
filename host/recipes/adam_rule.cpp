#include "host/recipes/adam_rule.h"

namespace duel {

UpdateRule adam_rule(const Options& options, std::int64_t steps, const char* key, const ScheduleOption& learning_rate,
                     const std::string& loss, const std::string& norm) {
  const Options::Optimizer& o = options.optimizer;
  UpdateRule rule;
  rule.adam.learning_rate = resolve(key, learning_rate, steps, options.train.batch);
  rule.adam.beta1 = o.beta1;
  rule.adam.beta2 = resolve("optimizer.beta2", o.beta2, steps, options.train.batch);
  rule.adam.epsilon = o.epsilon;
  rule.adam.weight_decay = o.weight_decay;
  rule.clip_norm = o.clip_norm;
  rule.loss = loss;
  rule.norm = norm;
  return rule;
}

}  // namespace duel
