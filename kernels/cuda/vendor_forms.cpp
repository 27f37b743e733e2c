#include "kernels/cuda/vendor_forms.h"

#include <utility>

namespace duel {

namespace {

class PlanWithOurs : public VendorPlan {
public:
  PlanWithOurs(VendorForm form, std::unique_ptr<VendorPlan> theirs, std::size_t result_bytes)
      : form_(std::move(form)), theirs_(std::move(theirs)), result_bytes_(result_bytes) {}

  std::string name() const override { return theirs_->name() + form_.suffix; }
  std::string recipe() const override { return theirs_->recipe() + form_.suffix; }
  std::size_t workspace_bytes() const override { return result_bytes_ + theirs_->workspace_bytes(); }
  void run(cudaStream_t stream, std::span<const View> inputs, View output, void* workspace) const override {
    const View result = form_.has_f32_result ? View{workspace, output.shape, DType::f32} : output;
    theirs_->run(stream, inputs, result, static_cast<std::byte*>(workspace) + result_bytes_);
    form_.behind(inputs, result, output);
  }

private:
  VendorForm form_;
  std::unique_ptr<VendorPlan> theirs_;
  std::size_t result_bytes_;  // at the beginning of the workspace
};

class PlansOfForms : public VendorPlans {
public:
  PlansOfForms(std::vector<VendorForm> forms, View y) : forms_(std::move(forms)), y_(y) {}

  std::unique_ptr<VendorPlan> next() override {
    for (; form_ < forms_.size(); ++form_) {
      if (!plans_) {
        plans_ = forms_[form_].plans();
      }
      if (std::unique_ptr<VendorPlan> plan = plans_ ? plans_->next() : nullptr) {
        has_any_ = true;
        return with_ours(forms_[form_], std::move(plan));
      }
      if (has_any_) {
        return nullptr;
      }
      plans_.reset();
    }
    return nullptr;
  }

  std::unique_ptr<VendorPlan> rebuild(const std::string& recipe) override {
    const VendorForm* form = nullptr;
    for (const VendorForm& each : forms_) {
      if (recipe.ends_with(each.suffix) && (form == nullptr || each.suffix.size() > form->suffix.size())) {
        form = &each;
      }
    }
    const std::unique_ptr<VendorPlans> plans = form == nullptr ? nullptr : form->plans();
    std::unique_ptr<VendorPlan> plan =
        plans ? plans->rebuild(recipe.substr(0, recipe.size() - form->suffix.size())) : nullptr;
    return plan ? with_ours(*form, std::move(plan)) : nullptr;
  }

private:
  std::unique_ptr<VendorPlan> with_ours(const VendorForm& form, std::unique_ptr<VendorPlan> theirs) const {
    if (!form.behind) {
      return theirs;
    }
    const std::size_t bytes = form.has_f32_result ? View{nullptr, y_.shape, DType::f32}.bytes() : 0;
    constexpr std::size_t kAlignment = 256;  // of a library's workspace, as cudaMalloc gives it
    return std::make_unique<PlanWithOurs>(form, std::move(theirs), (bytes + kAlignment - 1) / kAlignment * kAlignment);
  }

  std::vector<VendorForm> forms_;
  View y_;
  std::size_t form_ = 0;
  std::unique_ptr<VendorPlans> plans_;  // of that form
  bool has_any_ = false;
};

}  // namespace

std::unique_ptr<VendorPlans> plans_of(std::vector<VendorForm> forms, View y) {
  return std::make_unique<PlansOfForms>(std::move(forms), y);
}

}  // namespace duel
