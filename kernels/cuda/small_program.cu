// A list of small instructions (contract: kernels/small_program.h), run by one thread block, one behind the other with
// a barrier between them. Local arrays lie in shared memory; the list travels in the kernel's arguments.
//
//   pointwise   a thread takes elements a block apart
//   sums        of many groups (rows, columns): a warp each; of one group: the whole block. In f64, in a fixed order
//   single      the first thread: what is stored in the ring, and the counter
//
// Moved: inputs and outputs once per instruction that names them, which are in L1 or L2 after the first.
#include "kernels/small_program.h"

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256;

struct Operand {
  std::uint64_t place;  // an address; of a local array the offset in shared memory
  bool is_local, is_bf16;
};

struct Instruction {
  SmallOp op;
  UnaryKind unary;
  ActivationKind activation;
  std::int8_t x, b, y;  // among the operands; -1: none
  std::int8_t schedule;
  // Elements of y. Of reduce_sum and broadcast: groups of `length` elements, `inner` of them side by side; number k of
  // group g lies at g / inner * group_stride + g % inner + k * stride in the large array. Of bias_act: the bias repeats
  // every `length` elements. Of rows: the other array's elements are `begin` behind y's (slice_rows), or lie at begin
  // .. begin + length in y.
  int count, length, group_stride, inner, stride, begin;
  float scale, shift, slope;
  double scalar;
};

// Everything, as an argument: at most 4 KiB.
struct List {
  int instructions;
  Operand operands[kMostSmallArrays];
  Instruction list[kMostSmallInstructions];
  Schedule schedules[kMostSmallSchedules];
};

// An array as all instructions see it: floats, whatever it stores.
class Elements {
public:
  __device__ Elements(const List& list, int number, unsigned char* shared) {
    if (number >= 0) {
      const Operand& operand = list.operands[number];
      data_ = operand.is_local ? shared + operand.place : reinterpret_cast<unsigned char*>(operand.place);
      is_bf16_ = operand.is_bf16;
    }
  }
  __device__ bool exists() const { return data_ != nullptr; }
  __device__ float operator[](int i) const {
    return is_bf16_ ? to_float(reinterpret_cast<const Bf16*>(data_)[i]) : reinterpret_cast<const float*>(data_)[i];
  }
  __device__ void set(int i, float value) const {
    if (is_bf16_) {
      reinterpret_cast<Bf16*>(data_)[i] = from_float<Bf16>(value);
    } else {
      reinterpret_cast<float*>(data_)[i] = value;
    }
  }
  __device__ std::int64_t& counter() const { return *reinterpret_cast<std::int64_t*>(data_); }

private:
  unsigned char* data_ = nullptr;
  bool is_bf16_ = false;
};

__device__ float unary_of(UnaryKind kind, float x) {
  switch (kind) {
    case UnaryKind::softplus: return (x < 0.0F ? 0.0F : x) + log1pf(expf(-fabsf(x)));  // a NaN passes
    case UnaryKind::sigmoid: return 1.0F / (1.0F + expf(-x));
    case UnaryKind::square_root: return sqrtf(x);
    case UnaryKind::reciprocal: return 1.0F / x;
    case UnaryKind::exp: return expf(x);
    case UnaryKind::log: return logf(x);
    case UnaryKind::abs: return fabsf(x);
    case UnaryKind::sign: return x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x;
    case UnaryKind::sin: return sinf(x);
    case UnaryKind::cos: return cosf(x);
    case UnaryKind::rsqrt: return 1.0F / sqrtf(x);
    case UnaryKind::positive: return x > 0.0F ? 1.0F : 0.0F;
  }
  return 0.0F;
}

// y[i], of an instruction that makes each element by itself.
__device__ float element_of(const Instruction& in, const List& list, const Elements& x, const Elements& b, int i) {
  switch (in.op) {
    case SmallOp::fill: return static_cast<float>(in.scalar);
    case SmallOp::cast: return x[i];
    case SmallOp::add: return x[i] + b[i];
    case SmallOp::multiply: return x[i] * b[i];
    case SmallOp::affine: return in.scale * x[i] + in.shift;
    case SmallOp::unary: return unary_of(in.unary, x[i]);
    case SmallOp::clamp: return x[i] < in.scale ? in.scale : x[i] > in.shift ? in.shift : x[i];
    case SmallOp::bias_act: return activated(in.activation, in.slope, b.exists() ? x[i] + b[i % in.length] : x[i]);
    case SmallOp::activation_backward: return activated_backward(in.activation, in.slope, x[i], b[i]);
    case SmallOp::broadcast: return in.scale * x[i / in.group_stride * in.inner + i % in.inner];
    case SmallOp::concat_rows: return i < in.begin ? x[i] : b[i - in.begin];
    case SmallOp::slice_rows: return x[i + in.begin];
    case SmallOp::pad_rows: return i >= in.begin && i < in.begin + in.length ? x[i - in.begin] : 0.0F;
    case SmallOp::scale_scheduled: return static_cast<float>(value_at(list.schedules[in.schedule], b.counter())) * x[i];
    case SmallOp::clip_scale: {
      const double norm = x[0];
      return norm > in.scalar ? static_cast<float>(in.scalar / norm) : 1.0F;
    }
    default: return 0.0F;
  }
}

// All threads must call it.
__device__ void sum_groups(const Instruction& in, const Elements& x, const Elements& y) {
  const int thread = static_cast<int>(threadIdx.x);
  if (in.count == 1) {
    double sum = 0;
    for (int k = thread; k < in.length; k += kThreads) {
      sum += static_cast<double>(x[k * in.stride]);
    }
    sum = block_sum<kThreads>(sum);
    if (thread == 0) {
      y.set(0, in.scale * static_cast<float>(sum));
    }
    return;
  }
  for (int group = thread / 32; group < in.count; group += kThreads / 32) {  // the same for all lanes of a warp
    const int first = group / in.inner * in.group_stride + group % in.inner;
    double sum = 0;
    for (int k = thread % 32; k < in.length; k += 32) {
      sum += static_cast<double>(x[first + k * in.stride]);
    }
    sum = warp_sum(sum);
    if (thread % 32 == 0) {
      y.set(group, in.scale * static_cast<float>(sum));
    }
  }
}

}  // namespace

// ---- kernels

__global__ void __launch_bounds__(kThreads) small_program_kernel(const List list) {
  DUEL_DYNAMIC_SHARED(unsigned char, locals);
  const int thread = static_cast<int>(threadIdx.x);
  for (int number = 0; number < list.instructions; ++number) {
    const Instruction& in = list.list[number];
    const Elements x(list, in.x, locals), b(list, in.b, locals), y(list, in.y, locals);
    if (in.op == SmallOp::reduce_sum) {
      sum_groups(in, x, y);
    } else if (in.op == SmallOp::store_scalar) {
      if (thread == 0) {
        y.set(static_cast<int>(b.counter() % in.length) * in.stride + in.begin, x[0]);
      }
    } else if (in.op == SmallOp::advance_counter) {
      if (thread == 0) {
        ++y.counter();
      }
    } else {
      for (int i = thread; i < in.count; i += kThreads) {
        y.set(i, element_of(in, list, x, b, i));
      }
    }
    __syncthreads();  // the next instruction reads and overwrites what other threads wrote and read here
  }
}

// ---- launchers

namespace {

// Groups of elements, of each of which there is one in the small array: see Instruction.
void describe_groups(Axes axes, const Shape& large, const Shape& small, Instruction& to) {
  const auto ints = [](std::int64_t value) { return static_cast<int>(value); };
  const bool has_columns = axes == Axes::each_column || axes == Axes::each_row_and_column;
  to.length = ints(large.count() / small.count());
  to.inner = has_columns ? large.back() : 1;
  to.group_stride = to.length * to.inner;
  to.stride = to.inner;
}

// How an instruction's arrays lie.
void describe(const SmallInstruction& from, const View& x, const View& y, Instruction& to) {
  const auto ints = [](std::int64_t value) { return static_cast<int>(value); };
  to.count = ints(y.count());
  switch (from.op) {
    case SmallOp::reduce_sum: describe_groups(from.axes, x.shape, y.shape, to); return;
    case SmallOp::broadcast: describe_groups(from.axes, y.shape, x.shape, to); return;
    case SmallOp::bias_act: to.length = x.shape.back(); return;
    case SmallOp::concat_rows: to.begin = ints(x.count()); return;
    case SmallOp::slice_rows: to.begin = ints(from.index * x.shape.row_count()); return;
    case SmallOp::pad_rows:
      to.begin = ints(from.index * y.shape.row_count());
      to.length = ints(x.count());
      return;
    case SmallOp::store_scalar:
      to.length = y.shape[0];
      to.stride = y.shape[1];
      to.begin = from.index;
      return;
    default: return;
  }
}

}  // namespace

void small_program(CudaContext& context, const SmallProgram& program, std::span<const View> inputs,
                   std::span<const View> outputs) {
  static_assert(sizeof(List) <= 4096);
  static_assert(kMostSmallArrays <= 127);
  List list{};
  std::size_t shared_bytes = 0;
  for (std::size_t i = 0; i < program.arrays.size(); ++i) {
    const SmallArray& array = program.arrays[i];
    const auto index = static_cast<std::size_t>(array.index);
    Operand& operand = list.operands[i];
    operand.is_bf16 = array.dtype == DType::bf16;
    operand.is_local = array.place == SmallArray::Place::local;
    if (operand.is_local) {
      operand.place = index;
      shared_bytes = std::max(shared_bytes, index + View{nullptr, array.shape, array.dtype}.bytes());
    } else {
      const View& view = array.place == SmallArray::Place::input ? inputs[index] : outputs[index];
      operand.place = reinterpret_cast<std::uint64_t>(view.data);
    }
  }
  const auto view = [&](int number) {
    return number < 0 ? View{}
                      : View{nullptr, program.arrays[static_cast<std::size_t>(number)].shape,
                             program.arrays[static_cast<std::size_t>(number)].dtype};
  };
  int schedules = 0;
  for (const SmallInstruction& from : program.instructions) {
    Instruction& to = list.list[list.instructions++];
    to.op = from.op;
    to.unary = from.unary;
    to.activation = from.activation.kind;
    to.slope = from.activation.slope;
    to.x = static_cast<std::int8_t>(from.x);
    to.b = static_cast<std::int8_t>(from.b);
    to.y = static_cast<std::int8_t>(from.y);
    to.scale = from.scale;
    to.shift = from.shift;
    to.scalar = from.scalar;
    if (from.op == SmallOp::scale_scheduled) {
      list.schedules[schedules] = from.schedule;
      to.schedule = static_cast<std::int8_t>(schedules++);
    }
    describe(from, view(from.x), view(from.y), to);
  }
  launch(context, "small_program", {1, kThreads, shared_bytes}, small_program_kernel, list);
}

}  // namespace duel
