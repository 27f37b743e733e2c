#include "host/sampler.h"

#include "engine/fuse.h"
#include "engine/ops.h"

#include <algorithm>
#include <array>

namespace duel {

Sampler::Sampler(Context& context, const GanModel& model, Parameters::Block block, std::uint64_t seed)
    : counter_(context, sizeof(std::int64_t)),
      execution_(make_execution(context, model, block, seed)),
      arena_(context, execution_.plan().arena_bytes) {
  execution_.attach(arena_.data());
}

Execution Sampler::make_execution(Context& context, const GanModel& model, Parameters::Block block,
                                  std::uint64_t seed) {
  Program program;
  const Value counter = program.bind("sample counter", counter_.view({1}, DType::i64));
  const BoundParameters weights(program, model.generator->parameters(), block, false);
  const Value z = ops::random_normal(program, {seed, Purpose::sample_latents}, counter, {kBatch, model.latent});
  output_ = model.generator->forward(program, weights, z);
  program.keep(output_);
  fuse(program);
  return {context, std::move(program)};
}

std::vector<float> Sampler::draw(Context& context, std::int64_t first, int count) {
  std::vector<float> pictures;
  const auto size = static_cast<std::int64_t>(execution_.program().shape(output_).row_count());
  for (std::int64_t batch = first / kBatch; batch * kBatch < first + count; ++batch) {
    upload<std::int64_t>(context, counter_.view({1}, DType::i64), std::array{batch});
    execution_.run(context);
    const std::vector<float> values = download<float>(context, execution_.view(output_));
    const std::int64_t begin = std::max<std::int64_t>(first - batch * kBatch, 0);
    const std::int64_t end = std::min<std::int64_t>(first + count - batch * kBatch, kBatch);
    pictures.insert(pictures.end(), values.begin() + begin * size, values.begin() + end * size);
  }
  return pictures;
}

}  // namespace duel
