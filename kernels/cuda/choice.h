// Who computes an operator of which there are several kernels: ours, or one of a vendor's library.
//
// Each problem is measured once, when it is prepared, on random arrays of its shapes: repeated in a captured graph, as
// training repeats it. A vendor's kernel counts only if two runs of it give the same bytes, and these agree with ours.
// What was chosen is remembered in the ChoiceStore, where there is one.
#pragma once

#include "kernels/choice_store.h"
#include "kernels/context.h"
#include "kernels/cuda/vendor_plan.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace duel {

class CudaContext;

struct VendorProblem {
  std::string text;  // operator, arrays, parameters: see KernelDecision
  std::vector<View> inputs;
  View output;
  std::function<void(std::span<const View> inputs, View output)> ours;  // queues our kernels
  std::function<VendorPlans()> vendor;                                  // the candidates, likeliest first
};

class Choices {
public:
  Choices(KernelChoice wanted, std::shared_ptr<ChoiceStore> store) : wanted_(wanted), store_(std::move(store)) {}

  bool are_ours() const { return wanted_ == KernelChoice::ours; }
  bool has(const std::string& text) const { return decided_.contains(text); }
  void decide(CudaContext& context, const VendorProblem& problem);
  // Null: ours, also where it was never decided.
  const VendorPlan* plan(const std::string& text) const;

  std::vector<KernelDecision> decisions() const;  // so far, by problem

private:
  struct Decided {
    KernelDecision decision;
    std::unique_ptr<VendorPlan> plan;  // null: ours
  };
  VendorPlans plans_of(const VendorProblem& problem, std::string& failure) const;
  Decided recall(CudaContext& context, const VendorProblem& problem, VendorPlans& plans) const;
  Decided measure_or_ours(CudaContext& context, const VendorProblem& problem, VendorPlans& plans) const;
  Decided measure(CudaContext& context, const VendorProblem& problem, VendorPlans& plans) const;

  KernelChoice wanted_;
  std::shared_ptr<ChoiceStore> store_;
  std::map<std::string, Decided> decided_;
};

// Whether all of these are as aligned as a vendor's kernels want.
bool are_aligned(std::span<const View> inputs, View output);

}  // namespace duel
