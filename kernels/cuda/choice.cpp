#include "kernels/cuda/choice.h"

#include "kernels/check.h"
#include "kernels/cuda/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace duel {

namespace {

constexpr const char* kOurs = "ours";
constexpr std::size_t kMostMeasured = 3;  // of a library's plans for one problem
constexpr int kMostBuilt = 8;             // where some of them fail or are wrong
constexpr int kWindows = 5;
constexpr std::chrono::milliseconds kWarmUp{300};  // until the clocks of an idle GPU have risen

// How far a result may lie from ours, by the norm of the difference: rounding of the result, and other orders of sums.
// Tensor cores truncate where they add, which shows in sums of 100,000 products.
double allowed_distance(const VendorProblem& problem, bool allows_tf32) {
  if (problem.output.dtype == DType::bf16) {
    return 1e-2;
  }
  const bool is_f32 = problem.inputs.front().dtype == DType::f32;
  return is_f32 && allows_tf32 ? 5e-3 : is_f32 ? 1e-4 : 1e-3;
}

// What is wrong with a plan's results; "" where nothing is.
std::string fault_of(Trial& trial, const VendorPlan& plan, const std::vector<std::byte>& expected, double allowed) {
  const auto run = [&] { trial.run(plan); };
  const std::vector<std::byte> once = trial.result(run);
  if (std::string text = difference(once, expected, trial.output().dtype, allowed); !text.empty()) {
    return text;
  }
  const std::vector<std::byte> again = trial.result(run);
  return std::memcmp(once.data(), again.data(), once.size()) == 0 ? "" : "gives other bytes each time";
}

void add_note(std::string& note, const std::string& text) {
  note += (note.empty() || text.empty() ? "" : "; ") + text;
}

std::string failure_of(const VendorPlan& plan, const Error& error) {
  cudaGetLastError();  // not sticky: the next call must not report it again
  return fmt::format("{} fails ({})", plan.name(), error.what());
}

}  // namespace

bool are_aligned(std::span<const View> inputs, View output) {
  const auto is_aligned = [](View view) { return reinterpret_cast<std::uintptr_t>(view.data) % kVendorAlignment == 0; };
  return is_aligned(output) && std::all_of(inputs.begin(), inputs.end(), is_aligned);
}

Choices::Decided::Decided(const VendorProblem& problem) : inputs(problem.inputs), output(problem.output) {
  decision.problem = problem.text;
  decision.kernel = kOurs;
}

void Choices::decide(CudaContext& context, const VendorProblem& problem) {
  if (are_ours() || has(problem.text)) {
    return;
  }
  std::string note;
  std::optional<Decided> decided = recall(context, problem, note);
  if (!decided) {
    decided = measure_or_ours(context, problem);
    add_note(decided->decision.note, note);
    if (store_ && decided->is_lasting) {
      store_->remember(device_of(context), decided->decision);
    }
  }
  if (decided->plan) {
    context.reserve_scratch(decided->plan->workspace_bytes());
  }
  decided_.emplace(problem.text, std::move(*decided));
}

std::string Choices::device_of(const CudaContext& context) const {
  return context.identity() + (wanted_ == KernelChoice::vendor ? ", kernels vendor" : "");
}

// None where nothing is remembered or, with a note that says why, where that cannot be had any more.
std::optional<Choices::Decided> Choices::recall(CudaContext& context, const VendorProblem& problem,
                                                std::string& note) const {
  const auto remembered = store_ ? store_->find(device_of(context), problem.text) : std::optional<KernelDecision>();
  if (!remembered) {
    return std::nullopt;
  }
  Decided decided(problem);
  decided.decision = *remembered;
  if (remembered->kernel == kOurs) {
    return decided;
  }
  std::string why = "is not offered any more";
  try {
    const std::unique_ptr<VendorPlans> plans = problem.vendor();
    decided.plan = plans ? plans->rebuild(remembered->recipe) : nullptr;
    if (decided.plan && decided.plan->name() == remembered->kernel) {
      run_once(context, decided, 0);
      return decided;
    }
  } catch (const Error& error) {
    cudaGetLastError();  // not sticky: the next call must not report it again
    why = fmt::format("fails ({})", error.what());
  }
  note = fmt::format("{} was remembered and {}: measured again", remembered->kernel, why);
  return std::nullopt;
}

// Too little memory for a trial must not end a training that has enough for itself.
Choices::Decided Choices::measure_or_ours(CudaContext& context, const VendorProblem& problem) {
  try {
    return measure(context, problem);
  } catch (const Error& error) {
    if (wanted_ == KernelChoice::vendor) {
      throw;
    }
    cudaGetLastError();  // not sticky: the next call must not report it again
    Decided ours(problem);
    ours.decision.note = fmt::format("not measured: {}", error.what());
    return ours;
  }
}

// The library's plans that work, and that compute what ours compute.
Choices::Found Choices::find_candidates(CudaContext& context, const VendorProblem& problem) {
  Found found;
  std::vector<std::byte> expected;
  std::unique_ptr<VendorPlans> plans;
  for (int built = 1; built <= kMostBuilt && found.candidates.size() < kMostMeasured; ++built) {
    std::unique_ptr<VendorPlan> plan;
    try {
      if (built == 1) {
        plans = problem.vendor();
      }
      plan = plans ? plans->next() : nullptr;
    } catch (const Error& error) {
      found.has_failed = true;
      add_note(found.note, error.what());
    }
    if (!plan) {
      break;
    }
    if (!found.trial) {
      found.trial = std::make_unique<Trial>(context, problem.inputs, problem.output);
      found.trial->fill_inputs(values_);
      expected = found.trial->result([&] { problem.ours(found.trial->inputs(), found.trial->output()); });
    }
    found.trial->reserve_workspace(plan->workspace_bytes());  // where memory is short, it is no fault of the plan
    try {
      const std::string fault =
          fault_of(*found.trial, *plan, expected, allowed_distance(problem, context.allows_tf32()));
      if (fault.empty()) {
        found.trial->run_on_lanes(*plan, 0);
        const std::string name = plan->name();
        found.candidates.push_back({built, std::move(plan), name, nullptr});
      } else {
        add_note(found.note, plan->name() + " " + fault);
      }
    } catch (const Error& error) {
      found.has_failed = true;
      add_note(found.note, failure_of(*plan, error));
    }
  }
  return found;
}

Choices::Decided Choices::measure(CudaContext& context, const VendorProblem& problem) {
  Found found = find_candidates(context, problem);
  std::vector<Candidate>& candidates = found.candidates;
  Decided best(problem);
  // What fails altogether may work tomorrow; where some do, those that fail need not be tried each time.
  best.is_lasting = !found.has_failed || !candidates.empty();
  const bool is_automatic = wanted_ == KernelChoice::automatic;
  if (is_automatic && found.trial) {
    candidates.insert(candidates.begin(), Candidate{0, nullptr, kOurs, nullptr});
  }
  if (is_automatic ? !candidates.empty() : candidates.size() > 1) {
    const std::size_t given = candidates.size();
    time(context, problem, found);
    found.has_failed = found.has_failed || candidates.size() < given;
    for (const Candidate& candidate : candidates) {
      best.decision.timings.push_back({candidate.name, candidate.calls->us()});
    }
  }
  best.decision.note = found.trial || found.has_failed ? found.note : "no library has a kernel for it";
  if (candidates.empty()) {
    if (found.has_failed && !is_automatic) {
      throw_error(Error::Kind::device, "{}: none of the vendor's kernels works: {}", problem.text, found.note);
    }
    return best;
  }
  Candidate& chosen = *std::min_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.calls && b.calls && a.calls->us() < b.calls->us(); });
  best.decision.kernel = chosen.name;
  best.decision.recipe = chosen.plan ? chosen.plan->recipe() : "";
  best.plan = std::move(chosen.plan);
  return best;
}

// In turn, each window beginning with another, as clocks rise and fall. What fails is left out.
void Choices::time(CudaContext& context, const VendorProblem& problem, Found& found) {
  std::vector<Candidate>& candidates = found.candidates;
  Trial& trial = *found.trial;
  const auto try_each = [&](std::size_t first, const auto& what) {
    std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(first), candidates.end());
    std::erase_if(candidates, [&](Candidate& candidate) {
      try {
        what(candidate);
        return false;
      } catch (const Error& error) {
        if (!candidate.plan) {
          throw;
        }
        add_note(found.note, failure_of(*candidate.plan, error));
        return true;
      }
    });
  };
  try_each(0, [&](Candidate& candidate) {
    candidate.calls = std::make_unique<TimedCalls>(
        context, [&] { candidate.plan ? trial.run(*candidate.plan) : problem.ours(trial.inputs(), trial.output()); });
  });
  try_each(0, [&](Candidate& candidate) {
    candidate.calls->run_untimed();
    const auto begin = std::chrono::steady_clock::now();
    while (!is_warm_ && std::chrono::steady_clock::now() - begin < kWarmUp && context.has_clocks()) {
      candidate.calls->run_untimed();
    }
    is_warm_ = true;
  });
  for (int window = 0; window < kWindows; ++window) {
    try_each(window > 0 && candidates.size() > 1 ? 1 : 0,
             [](Candidate& candidate) { candidate.calls->run_and_time(); });
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.number < b.number; });
}

void Choices::run_once(CudaContext& context, const Decided& decided, int first_lane) {
  Trial trial(context, decided.inputs, decided.output);
  trial.reserve_workspace(decided.plan->workspace_bytes());
  trial.run_on_lanes(*decided.plan, first_lane);
}

void Choices::run_on_new_lanes(CudaContext& context, int first_lane) {
  if (first_lane == context.lanes()) {
    return;
  }
  for (auto& [text, decided] : decided_) {
    if (!decided.plan) {
      continue;
    }
    try {
      run_once(context, decided, first_lane);
    } catch (const Error& error) {
      if (wanted_ == KernelChoice::vendor) {
        throw;
      }
      add_note(decided.decision.note, failure_of(*decided.plan, error));
      decided.decision.kernel = kOurs;
      decided.plan = nullptr;
    }
  }
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
