// Who computes an operator of which there are several kernels: ours, or one of a vendor's library.
//
// Each problem is measured once, when it is prepared, on random arrays of its shapes: repeated in a captured graph, as
// training repeats it. A vendor's kernel counts only if two runs of it give the same bytes, and these agree with ours.
// What was chosen is remembered in the ChoiceStore, where there is one, for each KernelChoice by itself: then a library
// is asked for nothing but the one kernel that was chosen, and for nothing at all where that was ours.
//
// A vendor's kernel has run once on each lane before an operator queues it: it may load code then, which a capture does
// not allow.
#pragma once

#include "kernels/choice_store.h"
#include "kernels/context.h"
#include "kernels/cuda/vendor_plan.h"
#include "kernels/cuda/vendor_trial.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace duel {

class CudaContext;

struct VendorProblem {
  std::string text;  // operator, arrays, parameters: see KernelDecision
  std::vector<View> inputs;
  View output;
  std::function<void(std::span<const View> inputs, View output)> ours;  // queues our kernels
  std::function<std::unique_ptr<VendorPlans>()> vendor;                 // null: no library has any
};

class Choices {
public:
  Choices(KernelChoice wanted, std::shared_ptr<ChoiceStore> store) : wanted_(wanted), store_(std::move(store)) {}

  bool are_ours() const { return wanted_ == KernelChoice::ours; }
  bool has(const std::string& text) const { return decided_.contains(text); }
  void decide(CudaContext& context, const VendorProblem& problem);
  // Null: ours, also where it was never decided.
  const VendorPlan* plan(const std::string& text) const;

  // Runs what was decided on lanes that were opened since.
  void run_on_new_lanes(CudaContext& context, int first_lane);

  std::vector<KernelDecision> decisions() const;  // so far, by problem

private:
  struct Decided {
    explicit Decided(const VendorProblem& problem);  // ours
    KernelDecision decision;
    std::unique_ptr<VendorPlan> plan;  // null: ours
    bool is_lasting = false;           // it holds for other processes on this device
    std::vector<View> inputs;          // of the problem
    View output;
  };
  struct Candidate {
    int number = 0;                    // ours first, then as the library orders its own
    std::unique_ptr<VendorPlan> plan;  // null: ours
    std::string name;
    std::unique_ptr<TimedCalls> calls;
  };
  struct Found {
    std::unique_ptr<Trial> trial;  // null: the library has no plan
    std::vector<Candidate> candidates;
    std::string note;
    bool has_failed = false;  // the library, or a plan of it
  };
  std::string device_of(const CudaContext& context) const;
  std::optional<Decided> recall(CudaContext& context, const VendorProblem& problem, std::string& note) const;
  Decided measure_or_ours(CudaContext& context, const VendorProblem& problem);
  Decided measure(CudaContext& context, const VendorProblem& problem);
  Found find_candidates(CudaContext& context, const VendorProblem& problem);
  void time(CudaContext& context, const VendorProblem& problem, Found& found);
  static void run_once(CudaContext& context, const Decided& decided, int first_lane);

  KernelChoice wanted_;
  std::shared_ptr<ChoiceStore> store_;
  std::map<std::string, Decided> decided_;
  TrialValues values_;
  bool is_warm_ = false;  // the device's clocks have risen
};

// Whether all of these are as aligned as a vendor's kernels want.
bool are_aligned(std::span<const View> inputs, View output);

}  // namespace duel
