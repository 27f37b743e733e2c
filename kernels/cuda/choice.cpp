#include "kernels/cuda/choice.h"

#include "kernels/check.h"
#include "kernels/cuda/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

namespace duel {

namespace {

constexpr const char* kOurs = "ours";
constexpr int kCallsInARow = 20, kWindows = 5;

// How far a result may lie from ours, by the norm of the difference: rounding of the result, and other orders of sums.
double allowed_distance(const VendorProblem& problem, bool allows_tf32) {
  if (problem.output.dtype == DType::bf16) {
    return 1e-2;
  }
  return problem.inputs.front().dtype == DType::f32 && allows_tf32 ? 5e-3 : 1e-4;
}

std::vector<std::byte> random_bytes(View view, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<std::byte> bytes(view.bytes());
  for (std::size_t i = 0; i < static_cast<std::size_t>(view.count()); ++i) {
    const float value = uniform(generator);
    if (view.dtype == DType::bf16) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      const auto upper = static_cast<std::uint16_t>(bits >> 16);
      std::memcpy(bytes.data() + 2 * i, &upper, sizeof upper);
    } else {
      std::memcpy(bytes.data() + 4 * i, &value, sizeof value);
    }
  }
  return bytes;
}

double element(const std::vector<std::byte>& bytes, DType dtype, std::size_t i) {
  float value = 0;
  if (dtype == DType::bf16) {
    std::uint16_t upper = 0;
    std::memcpy(&upper, bytes.data() + 2 * i, sizeof upper);
    const std::uint32_t bits = std::uint32_t{upper} << 16;
    std::memcpy(&value, &bits, sizeof value);
  } else {
    std::memcpy(&value, bytes.data() + 4 * i, sizeof value);
  }
  return value;
}

// Relative, infinite where a number is not finite.
double distance(const std::vector<std::byte>& got, const std::vector<std::byte>& expected, DType dtype) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size() / size_of(dtype); ++i) {
    const double a = element(got, dtype, i), b = element(expected, dtype, i);
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  return std::isfinite(difference) ? std::sqrt(difference / std::max(norm, 1e-30)) : INFINITY;
}

// Arrays of a problem's shapes on the device, and a stream's graphs to time with.
class Trial {
public:
  Trial(CudaContext& context, const VendorProblem& problem) : context_(context), output_(problem.output) {
    std::uint64_t seed = 0;
    for (View input : problem.inputs) {
      input.data = nullptr;
      if (input.shape.rank() > 0) {
        input.data = allocate(input.bytes());
        const std::vector<std::byte> bytes = random_bytes(input, ++seed);
        check_cuda(cudaMemcpyAsync(input.data, bytes.data(), bytes.size(), cudaMemcpyHostToDevice, context.stream()),
                   "cuda: uploading a trial's arrays");
        synchronize();
      }
      inputs_.push_back(input);
    }
    output_.data = allocate(output_.bytes());
  }
  ~Trial() {
    cudaStreamSynchronize(context_.stream());
    for (void* const data : allocated_) {
      cudaFree(data);
    }
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  std::span<const View> inputs() const { return inputs_; }
  View output() const { return output_; }
  void* allocate(std::size_t bytes) {
    void* data = nullptr;
    check_cuda(cudaMalloc(&data, std::max<std::size_t>(bytes, 1)), "cuda: allocating a trial's arrays");
    allocated_.push_back(data);
    return data;
  }

  std::vector<std::byte> result(const std::function<void()>& queue) {
    check_cuda(cudaMemsetAsync(output_.data, 0xFF, output_.bytes(), context_.stream()),
               "cuda: clearing a trial's result");
    queue();
    std::vector<std::byte> bytes(output_.bytes());
    check_cuda(cudaMemcpyAsync(bytes.data(), output_.data, bytes.size(), cudaMemcpyDeviceToHost, context_.stream()),
               "cuda: downloading a trial's result");
    synchronize();
    return bytes;
  }

  // Microseconds of a call: the least of several windows, as everything else only adds.
  double time(const std::function<void()>& queue) {
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamBeginCapture(context_.stream(), cudaStreamCaptureModeThreadLocal), "cuda: capturing a trial");
    try {
      for (int i = 0; i < kCallsInARow; ++i) {
        queue();
      }
    } catch (...) {
      if (cudaStreamEndCapture(context_.stream(), &graph) == cudaSuccess) {
        cudaGraphDestroy(graph);
      }
      cudaGetLastError();
      throw;
    }
    check_cuda(cudaStreamEndCapture(context_.stream(), &graph), "cuda: capturing a trial");
    cudaGraphExec_t executable = nullptr;
    const cudaError_t result = cudaGraphInstantiate(&executable, graph, 0);
    const cudaError_t destroyed = cudaGraphDestroy(graph);
    check_cuda(result, "cuda: instantiating a trial");
    check_cuda(destroyed, "cuda: releasing a captured trial");
    double least = INFINITY;
    for (int i = 0; i <= kWindows; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const cudaError_t launched = cudaGraphLaunch(executable, context_.stream());
      const cudaError_t ended = cudaStreamSynchronize(context_.stream());
      if (launched != cudaSuccess || ended != cudaSuccess) {
        cudaGraphExecDestroy(executable);
        check_cuda(launched != cudaSuccess ? launched : ended, "cuda: timing a trial");
      }
      const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
      least = i == 0 ? least : std::min(least, us / kCallsInARow);  // the first one warms up
    }
    cudaGraphExecDestroy(executable);
    return least;
  }

private:
  void synchronize() { check_cuda(cudaStreamSynchronize(context_.stream()), "cuda: waiting for a trial"); }

  CudaContext& context_;
  std::vector<void*> allocated_;
  std::vector<View> inputs_;
  View output_;
};

// What is wrong with a kernel's results; "" where nothing is.
std::string fault_of(Trial& trial, const std::function<void()>& queue, const std::vector<std::byte>& expected,
                     double allowed) {
  const std::vector<std::byte> result = trial.result(queue);
  const double off = distance(result, expected, trial.output().dtype);
  if (off > allowed) {
    return fmt::format("differs from ours by {:.1e}", off);
  }
  return trial.result(queue) == result ? "" : "gives other bytes each time";
}

void add_note(std::string& note, const std::string& text) {
  note += (note.empty() ? "" : "; ") + text;
}

}  // namespace

bool are_aligned(std::span<const View> inputs, View output) {
  const auto is_aligned = [](View view) { return reinterpret_cast<std::uintptr_t>(view.data) % kVendorAlignment == 0; };
  return is_aligned(output) && std::all_of(inputs.begin(), inputs.end(), is_aligned);
}

void Choices::decide(CudaContext& context, const VendorProblem& problem) {
  if (are_ours() || has(problem.text)) {
    return;
  }
  std::string failure;
  VendorPlans plans = plans_of(problem, failure);
  Decided decided = recall(context, problem, plans);
  if (decided.decision.kernel.empty()) {
    const std::string stale = decided.decision.note;
    decided = measure_or_ours(context, problem, plans);
    if (!failure.empty()) {
      decided.decision.note = failure;
    }
    if (!stale.empty()) {
      add_note(decided.decision.note, stale);
    }
    if (store_ && wanted_ == KernelChoice::automatic && !decided.decision.timings.empty()) {
      store_->remember(context.identity(), decided.decision);
    }
  }
  if (decided.plan) {
    context.reserve_scratch(decided.plan->workspace_bytes());
  }
  decided_[problem.text] = std::move(decided);
}

// A library that fails when it is asked leaves ours, unless its kernels were asked for.
VendorPlans Choices::plans_of(const VendorProblem& problem, std::string& failure) const {
  try {
    return problem.vendor();
  } catch (const Error& error) {
    if (wanted_ == KernelChoice::vendor) {
      throw;
    }
    failure = error.what();
    return {};
  }
}

// Without a kernel where nothing is remembered, or, with a note that says so, one that the library offers no more.
Choices::Decided Choices::recall(CudaContext& context, const VendorProblem& problem, VendorPlans& plans) const {
  const auto remembered = store_ && wanted_ == KernelChoice::automatic ? store_->find(context.identity(), problem.text)
                                                                       : std::optional<KernelDecision>();
  if (!remembered) {
    return {};
  }
  if (remembered->kernel == kOurs) {
    return {*remembered, nullptr};
  }
  for (std::unique_ptr<VendorPlan>& plan : plans) {
    if (plan->name() == remembered->kernel) {
      return {*remembered, std::move(plan)};
    }
  }
  Decided stale;
  stale.decision.note = remembered->kernel + " was remembered and is not offered any more: measured again";
  return stale;
}

// Too little memory for a trial must not end a training that has enough for itself.
Choices::Decided Choices::measure_or_ours(CudaContext& context, const VendorProblem& problem,
                                          VendorPlans& plans) const {
  try {
    return measure(context, problem, plans);
  } catch (const Error& error) {
    if (wanted_ == KernelChoice::vendor) {
      throw;
    }
    cudaGetLastError();  // not sticky: the next call must not report it again
    return {{problem.text, kOurs, {}, fmt::format("not measured: {}", error.what())}, nullptr};
  }
}

Choices::Decided Choices::measure(CudaContext& context, const VendorProblem& problem, VendorPlans& plans) const {
  Decided best;
  best.decision.problem = problem.text;
  best.decision.kernel = kOurs;
  if (plans.empty()) {
    best.decision.note = "no library has a kernel for it";
    return best;
  }
  Trial trial(context, problem);
  const auto ours = [&] { problem.ours(trial.inputs(), trial.output()); };
  const std::vector<std::byte> expected = trial.result(ours);
  double best_us = INFINITY;
  if (wanted_ == KernelChoice::automatic) {
    best_us = trial.time(ours);
    best.decision.timings.push_back({kOurs, best_us});
  }
  std::size_t workspace_bytes = 0;
  for (const std::unique_ptr<VendorPlan>& plan : plans) {
    workspace_bytes = std::max(workspace_bytes, plan->workspace_bytes());
  }
  void* const workspace = trial.allocate(workspace_bytes);
  const bool is_only = plans.size() == 1 && wanted_ == KernelChoice::vendor;  // nothing to choose from
  for (std::unique_ptr<VendorPlan>& plan : plans) {
    const auto theirs = [&] { plan->run(context.stream(), trial.inputs(), trial.output(), workspace); };
    double us = 0;
    try {
      const std::string fault = fault_of(trial, theirs, expected, allowed_distance(problem, context.allows_tf32()));
      if (!fault.empty()) {
        add_note(best.decision.note, plan->name() + " " + fault);
        continue;
      }
      us = is_only ? 0 : trial.time(theirs);
    } catch (const Error& error) {
      if (wanted_ == KernelChoice::vendor) {
        throw;
      }
      add_note(best.decision.note, fmt::format("{} fails ({})", plan->name(), error.what()));
      continue;
    }
    if (!is_only) {
      best.decision.timings.push_back({plan->name(), us});
    }
    if (us < best_us) {
      best_us = us;
      best.decision.kernel = plan->name();
      best.plan = std::move(plan);
    }
  }
  return best;
}

const VendorPlan* Choices::plan(const std::string& text) const {
  const auto found = decided_.find(text);
  return found == decided_.end() ? nullptr : found->second.plan.get();
}

std::vector<KernelDecision> Choices::decisions() const {
  std::vector<KernelDecision> list;
  for (const auto& [text, decided] : decided_) {
    list.push_back(decided.decision);
  }
  return list;
}

}  // namespace duel
