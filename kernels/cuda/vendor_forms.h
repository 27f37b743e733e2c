// An operator in several forms: all of it by a vendor's kernel, or a part of it, with kernels of ours behind.
#pragma once

#include "kernels/cuda/vendor_plan.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct VendorForm {
  std::string suffix;  // of names and recipes: " + our cast"; empty where the library does all
  std::function<std::unique_ptr<VendorPlans>()> plans;  // of the library's part; null: none
  // Queues ours: from the library's result to y. Null where there is none.
  std::function<void(std::span<const View> inputs, View result, View y)> behind;
  bool has_f32_result = false;  // the library's result is f32 and in the workspace; else it is in y
};

// The plans for `y` of the first form that has any; suffixes differ.
std::unique_ptr<VendorPlans> plans_of(std::vector<VendorForm> forms, View y);

}  // namespace duel
