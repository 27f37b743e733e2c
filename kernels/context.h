// Where operators run. A Context names one device of one backend; every operator takes it first.
//
// The set of backends is closed: CpuContext (kernels/cpu) and CudaContext (kernels/cuda). Operators of one
// context run in the order they are called in; on a GPU they are queued, and `synchronize` waits for them. Only those
// that are put on another lane may run at the same time.
// Which backends a build has is decided when it is linked (kernels/dispatch.h); nothing else depends on it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace duel {

class CpuContext;
class CudaContext;

class ChoiceStore;
struct KernelDecision;

// Whose kernels run where a backend has several for an operator: the quickest; ours; or, where a library has one, the
// library's. On a CPU oneDNN is the library, and ours are few: `ours` is the same as `automatic` there.
enum class KernelChoice { automatic, ours, vendor };

class Context {
public:
  // `threads` <= 0 takes all processors that this process may use.
  // The vendor's kernels are oneDNN's.
  static Context cpu(int threads = 0, KernelChoice choice = KernelChoice::automatic);
  // The GPU of that number; Error kind `device` where there is none, or the build has no CUDA. `allow_tf32`: products
  // of f32 arrays may be rounded to TF32 (10 bits of mantissa) before they are multiplied, and run on tensor cores.
  // `automatic` measures each problem once, and without a library it is `ours`. `vendor` measures the library's alone,
  // and throws where there is none. Both remember what they chose in `store` where there is one.
  static Context cuda(int device = 0, bool allow_tf32 = false, KernelChoice choice = KernelChoice::ours,
                      std::shared_ptr<ChoiceStore> store = nullptr);
  static bool has_cuda();  // whether this build has kernels/cuda
  // The GPUs that can be opened, by name; where there is none, why. Never throws.
  struct CudaDevices {
    std::vector<std::string> names;
    std::string why_none;  // "no NVIDIA driver is installed"
  };
  static CudaDevices cuda_devices();

  std::string name();             // "cpu (2 threads)"
  bool supports_bf16();           // bf16 matrix products in hardware
  bool supports_tf32();           // TF32 matrix products in hardware, allowed by cuda()
  void synchronize();             // waits until all that was queued is done
  std::size_t workspace_bytes();  // scratch that prepared operators share, apart from any arena
  std::vector<std::pair<std::string, std::string>> describe();  // device, features, libraries: for `duel info`
  // What was decided of the operators prepared so far that several kernels could compute, as choice_store.h has it.
  std::vector<KernelDecision> kernel_decisions();

  std::optional<std::size_t> free_bytes();  // of the device's own memory; none where it has the machine's
  void* allocate(std::size_t bytes);        // 64-byte aligned, not cleared; Error kind `device` where it does not fit
  void release(void* data);
  void upload(void* to, const void* from, std::size_t bytes);    // host to device, done when it returns
  void download(void* to, const void* from, std::size_t bytes);  // device to host, done when it returns
  void clear(void* data, std::size_t bytes);                     // zero bytes

  // Lanes are queues of one device, each with scratch memory of its own: what they are given may run at the same time,
  // and only marks order it. Whoever selects another than lane 0 comes back to it, and lets it wait for the others.
  int most_lanes();                       // 1 on a CPU
  void open_lanes(int lanes, int marks);  // at least so many of each, which takes memory; not while steps are captured
  void select_lane(int lane);             // where operators are queued from now on; lane 0 at first
  void set_mark(int mark);                // reached when the selected lane has done all that it was given before
  void await_mark(int mark);  // what the selected lane is given from now on starts after the mark as it was set last

  // The cudaStream_t of lane 0, for host/device/cuda alone; null on a CPU.
  void* native_stream();

  // For the dispatchers alone (kernels/dispatch.h).
  template <class Call>
  auto run(Call&& call);

private:
  template <class T>
  using Owned = std::unique_ptr<T, void (*)(T*)>;  // the deleter stands in the backend, which knows the type
  using Backend = std::variant<Owned<CpuContext>, Owned<CudaContext>>;
  explicit Context(Backend backend) : backend_(std::move(backend)) {}
  Backend backend_;
};

}  // namespace duel
