#include "profiling/op_timer.h"

#include "kernels/memory.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace duel {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The case's own random values, of which a million are drawn and then repeated: drawing all takes longer than the
// whole bench.
std::vector<std::byte> contents(const std::string& seed, const Shape& shape, DType dtype, const test::Fill& fill) {
  constexpr std::int64_t kDrawn = 1'000'003;  // prime, so that rows of a matrix differ
  std::seed_seq sequence(seed.begin(), seed.end());
  std::mt19937_64 generator(sequence);
  test::Array values(static_cast<std::size_t>(std::min(shape.count(), kDrawn)));
  fill(generator, values);
  const std::vector<std::byte> drawn = test::to_bytes(values, dtype);
  std::vector<std::byte> bytes(static_cast<std::size_t>(shape.count()) * size_of(dtype));
  for (std::size_t i = 0; i < bytes.size(); i += drawn.size()) {
    std::memcpy(bytes.data() + i, drawn.data(), std::min(drawn.size(), bytes.size() - i));
  }
  return bytes;
}

struct ArraySet {
  std::vector<Buffer> buffers;
  std::vector<View> inputs, outputs;

  View add(Context& context, const Shape& shape, DType dtype, const std::vector<std::byte>& bytes) {
    Buffer& buffer = buffers.emplace_back(context, bytes.size());
    context.upload(buffer.data(), bytes.data(), bytes.size());
    return buffer.view(shape, dtype);
  }
};

class Arrays {
public:
  Arrays(Context& context, const test::OpCase& op_case, double rotate_bytes) {
    std::vector<std::vector<std::byte>> bytes;
    double total = 0;
    for (const test::Input& input : op_case.inputs) {
      bytes.push_back(contents(op_case.full_name() + input.name, input.shape, input.dtype, input.fill));
      total += static_cast<double>(bytes.back().size());
    }
    for (const test::Output& output : op_case.outputs) {  // never zeros: an output may be read, as a counter or state
      const test::Fill fill = output.initial ? output.initial : test::normal();
      bytes.push_back(contents(op_case.full_name() + output.name, output.shape, output.dtype, fill));
      total += static_cast<double>(bytes.back().size());
    }
    constexpr double kMostSets = 64;
    const auto sets = static_cast<std::size_t>(std::clamp(std::ceil(rotate_bytes / total), 1.0, kMostSets));
    for (std::size_t i = 0; i < sets; ++i) {
      ArraySet& set = sets_.emplace_back();
      auto next = bytes.begin();
      for (const test::Input& input : op_case.inputs) {
        set.inputs.push_back(set.add(context, input.shape, input.dtype, *next++));
      }
      for (const test::Output& output : op_case.outputs) {
        set.outputs.push_back(set.add(context, output.shape, output.dtype, *next++));
      }
    }
  }

  const ArraySet& next() { return sets_[turn_++ % sets_.size()]; }
  std::size_t count() const { return sets_.size(); }

private:
  std::vector<ArraySet> sets_;
  std::size_t turn_ = 0;
};

struct Views {
  std::vector<View> inputs, outputs;
};

Views views_without_data(const test::OpCase& op_case) {
  Views views;
  for (const test::Input& input : op_case.inputs) {
    views.inputs.push_back({nullptr, input.shape, input.dtype});
  }
  for (const test::Output& output : op_case.outputs) {
    views.outputs.push_back({nullptr, output.shape, output.dtype});
  }
  return views;
}

}  // namespace

Cost cost_of(const test::OpCase& op_case) {
  const Views views = views_without_data(op_case);
  return op_case.least_cost(views.inputs, views.outputs);
}

OpTime time_op(Context& context, const test::OpCase& op_case, const TimerOptions& options) {
  if (op_case.prepare) {
    const Views views = views_without_data(op_case);
    op_case.prepare(context, views.inputs, views.outputs);
  }
  Arrays arrays(context, op_case, options.rotate_mib * 0x1p20);
  OpTime time;
  std::vector<double> per_call, queued;
  const auto run_window = [&](int calls) {
    context.synchronize();
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < calls; ++i) {
      const ArraySet& set = arrays.next();
      op_case.run(context, set.inputs, set.outputs);
    }
    queued.push_back(milliseconds(begin) / calls);
    context.synchronize();
    per_call.push_back(milliseconds(begin) / calls);
  };

  run_window(2);  // loads the kernel, sets up what a first call sets up
  run_window(static_cast<int>(std::clamp(1 / per_call.back(), 1.0, 64.0)));
  time.calls = static_cast<int>(std::clamp(std::ceil(options.window_ms / per_call.back()), 1.0, 1e5));
  per_call.clear();
  queued.clear();
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < options.windows && (i == 0 || milliseconds(begin) < options.limit_ms); ++i) {
    run_window(time.calls);
  }
  time.ms = median(per_call);
  time.ms_min = *std::min_element(per_call.begin(), per_call.end());
  time.queue_ms = median(queued);
  time.windows = static_cast<int>(per_call.size());
  time.sets = static_cast<int>(arrays.count());
  return time;
}

}  // namespace duel
