#include "kernels/cuda/vendor_trial.h"

#include "kernels/cuda/context.h"
#include "kernels/cuda/vendor_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace duel {

namespace {

constexpr std::size_t kDifferentValues = 1'000'003;
constexpr std::size_t kBetweenArrays = 977;  // where the numbers of the next array begin
constexpr int kCallsInARow = 20;

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float bf16_value(std::uint16_t upper) {
  const std::uint32_t bits = std::uint32_t{upper} << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Elements as float, a block at a time.
constexpr std::size_t kBlock = 4096, kLanes = 16;
using Block = std::array<float, kBlock>;

void load(std::span<const std::byte> bytes, DType dtype, std::size_t begin, std::size_t count, Block& block) {
  if (dtype == DType::bf16) {
    std::array<std::uint16_t, kBlock> upper{};
    std::memcpy(upper.data(), bytes.data() + 2 * begin, 2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      block[i] = bf16_value(upper[i]);
    }
  } else {
    std::memcpy(block.data(), bytes.data() + 4 * begin, 4 * count);
  }
  std::fill(block.begin() + static_cast<std::ptrdiff_t>(count), block.end(), 0.0F);
}

}  // namespace

std::vector<std::byte> TrialValues::bytes(View view, std::size_t array) {
  const auto count = static_cast<std::size_t>(view.count());
  const std::size_t begin = array * kBetweenArrays, needed = std::min(begin + count, kDifferentValues);
  std::uniform_real_distribution<float> uniform(-1, 1);
  while (values_.size() < needed) {
    values_.push_back(uniform(generator_));
  }
  std::vector<std::byte> bytes(view.bytes());
  for (std::size_t done = 0; done < count;) {
    const std::size_t from = (begin + done) % kDifferentValues, some = std::min(count - done, kDifferentValues - from);
    const float* const values = values_.data() + from;
    if (view.dtype == DType::bf16) {
      for (std::size_t i = 0; i < some; ++i) {
        const auto upper = static_cast<std::uint16_t>(bits_of(values[i]) >> 16);
        std::memcpy(bytes.data() + 2 * (done + i), &upper, sizeof upper);
      }
    } else {
      std::memcpy(bytes.data() + 4 * done, values, 4 * some);
    }
    done += some;
  }
  return bytes;
}

Trial::Trial(CudaContext& context, std::span<const View> inputs, View output)
    : context_(context), inputs_(inputs.begin(), inputs.end()), output_(output) {
  try {
    for (View& input : inputs_) {
      input.data = input.shape.rank() > 0 ? allocate(input.bytes()) : nullptr;
    }
    output_.data = allocate(output_.bytes());
    synchronize();  // other lanes may read them
  } catch (...) {
    release();
    throw;
  }
}

Trial::~Trial() {
  release();
}

void Trial::release() noexcept {
  cudaStreamSynchronize(context_.stream());
  for (void* const data : allocated_) {
    cudaFree(data);
  }
}

void* Trial::allocate(std::size_t bytes) {
  void* data = nullptr;
  bytes = std::max<std::size_t>(bytes, 1);
  check_cuda(cudaMalloc(&data, bytes), "cuda: allocating a trial's arrays");
  allocated_.push_back(data);
  check_cuda(cudaMemsetAsync(data, 0, bytes, context_.stream()), "cuda: clearing a trial's arrays");
  return data;
}

void Trial::synchronize() {
  check_cuda(cudaStreamSynchronize(context_.stream()), "cuda: waiting for a trial");
}

void Trial::fill_inputs(TrialValues& values) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].data != nullptr) {
      const std::vector<std::byte> bytes = values.bytes(inputs_[i], i);
      check_cuda(
          cudaMemcpyAsync(inputs_[i].data, bytes.data(), bytes.size(), cudaMemcpyHostToDevice, context_.stream()),
          "cuda: uploading a trial's arrays");
      synchronize();
    }
  }
}

void Trial::reserve_workspace(std::size_t bytes) {
  if (workspace_ == nullptr || bytes > workspace_bytes_) {
    workspace_ = allocate(bytes);
    workspace_bytes_ = bytes;
    synchronize();  // other lanes may write it
  }
}

void Trial::run(const VendorPlan& plan) {
  plan.run(context_.stream(), inputs_, output_, workspace_);
}

void Trial::run_on_lanes(const VendorPlan& plan, int first_lane) {
  const int selected = context_.selected_lane();
  try {
    for (int lane = first_lane; lane < context_.lanes(); ++lane) {
      context_.select_lane(lane);
      run(plan);
      synchronize();  // they share the arrays
    }
  } catch (...) {
    context_.select_lane(selected);
    throw;
  }
  context_.select_lane(selected);
}

std::vector<std::byte> Trial::result(const std::function<void()>& queue) {
  check_cuda(cudaMemsetAsync(output_.data, 0xFF, output_.bytes(), context_.stream()),
             "cuda: clearing a trial's result");
  queue();
  std::vector<std::byte> bytes(output_.bytes());
  check_cuda(cudaMemcpyAsync(bytes.data(), output_.data, bytes.size(), cudaMemcpyDeviceToHost, context_.stream()),
             "cuda: downloading a trial's result");
  synchronize();
  return bytes;
}

TimedCalls::TimedCalls(CudaContext& context, const std::function<void()>& queue)
    : context_(context), least_us_(std::numeric_limits<double>::infinity()) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeThreadLocal), "cuda: capturing a trial");
  try {
    for (int i = 0; i < kCallsInARow; ++i) {
      queue();
    }
  } catch (...) {
    if (cudaStreamEndCapture(context.stream(), &graph) == cudaSuccess) {
      cudaGraphDestroy(graph);
    }
    cudaGetLastError();
    throw;
  }
  check_cuda(cudaStreamEndCapture(context.stream(), &graph), "cuda: capturing a trial");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t result = cudaGraphInstantiate(&executable, graph, 0);
  const cudaError_t destroyed = cudaGraphDestroy(graph);
  check_cuda(result, "cuda: instantiating a trial");
  graph_.reset(executable);
  check_cuda(destroyed, "cuda: releasing a captured trial");
}

double TimedCalls::us() const {
  return least_us_;
}

void TimedCalls::run_untimed() {
  check_cuda(cudaGraphLaunch(graph_.get(), context_.stream()), "cuda: timing a trial");
  check_cuda(cudaStreamSynchronize(context_.stream()), "cuda: timing a trial");
}

void TimedCalls::run_and_time() {
  const auto begin = std::chrono::steady_clock::now();
  run_untimed();
  const std::chrono::duration<double, std::micro> us = std::chrono::steady_clock::now() - begin;
  least_us_ = std::min(least_us_, us.count() / kCallsInARow);
}

std::string difference(std::span<const std::byte> got, std::span<const std::byte> expected, DType dtype,
                       double allowed) {
  const std::size_t count = expected.size() / size_of(dtype);
  double squares = 0, norm = 0;
  float most = 0;
  Block a{}, b{};
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t some = std::min(kBlock, count - begin);
    load(got, dtype, begin, some, a);
    load(expected, dtype, begin, some, b);
    std::array<float, kLanes> lane_squares{}, lane_norm{}, lane_most{};
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const float off = a[i + lane] - b[i + lane], square = off * off;
        lane_squares[lane] += square;
        lane_norm[lane] += b[i + lane] * b[i + lane];
        lane_most[lane] = square > lane_most[lane] ? square : lane_most[lane];
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      squares += lane_squares[lane];
      norm += lane_norm[lane];
      most = std::max(most, lane_most[lane]);
    }
  }
  norm = std::max(norm, 1e-30);
  const double off = std::isfinite(squares) ? std::sqrt(squares / norm) : std::numeric_limits<double>::infinity();
  if (off > allowed) {
    return fmt::format("differs from ours by {:.1e}", off);
  }
  const double root_mean_square = std::sqrt(norm / static_cast<double>(std::max<std::size_t>(count, 1)));
  const double of_one = std::sqrt(static_cast<double>(most)) / root_mean_square;
  return of_one > 8 * allowed ? fmt::format("differs from ours by {:.1e} in one element", of_one) : "";
}

}  // namespace duel
