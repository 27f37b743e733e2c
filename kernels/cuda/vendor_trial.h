// A trial of an operator's kernels on arrays of its shapes: what they compute, and how long they take.
#pragma once

#include "kernels/cuda/vendor_plan.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace duel {

class CudaContext;

// Random numbers in [-1, 1), drawn once and repeated over larger arrays: there are as many different ones as a prime,
// so that no two rows of an array are alike.
class TrialValues {
public:
  std::vector<std::byte> bytes(View view, std::size_t array);  // each array its own

private:
  std::mt19937_64 generator_;
  std::vector<float> values_;  // as many as were needed so far
};

class Trial {
public:
  // Arrays of zeros, on the device.
  Trial(CudaContext& context, std::span<const View> inputs, View output);
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  void fill_inputs(TrialValues& values);
  std::span<const View> inputs() const { return inputs_; }
  View output() const { return output_; }

  void reserve_workspace(std::size_t bytes);
  // Queues a plan, for which there is enough workspace, on the stream of the lane that is selected.
  void run(const VendorPlan& plan);
  // Runs a plan once on each lane from this one on, and waits for it.
  void run_on_lanes(const VendorPlan& plan, int first_lane);

  // What is in the output after that, where nothing was before.
  std::vector<std::byte> result(const std::function<void()>& queue);

private:
  void* allocate(std::size_t bytes);
  void release() noexcept;
  void synchronize();

  CudaContext& context_;
  std::vector<void*> allocated_;
  std::vector<View> inputs_;
  View output_;
  void* workspace_ = nullptr;
  std::size_t workspace_bytes_ = 0;
};

// Calls in a row, in a captured graph, as training repeats them.
class TimedCalls {
public:
  TimedCalls(CudaContext& context, const std::function<void()>& queue);

  double us() const;  // of a call: the least so far, as everything else only adds
  void run_and_time();
  void run_untimed();  // and waits

private:
  struct DestroyGraph {
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
  };
  CudaContext& context_;
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraph> graph_;
  double least_us_;
};

// "" where two results are alike but for rounding: every element is looked at. `allowed`: how far they may lie apart,
// in the norm of the difference, relative; one element eight times as far.
std::string difference(std::span<const std::byte> got, std::span<const std::byte> expected, DType dtype,
                       double allowed);

}  // namespace duel
