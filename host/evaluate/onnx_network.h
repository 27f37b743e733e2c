// A network out of an ONNX file, run on the CPU by a library for such files: OpenVINO, where it was found when Duel was
// built. It is loaded when the first network is read, so that a program starts without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct OnnxPort {  // an input or output
  std::string name;
  bool is_f32 = false;
  std::string type;                   // "f32", "u8"
  bool has_rank = true;               // otherwise it may have any
  std::vector<std::int64_t> extents;  // -1: any
};

// "f32 [?,3,224,224]"
std::string to_text(const OnnxPort& port);

class OnnxNetwork {
public:
  OnnxNetwork() = default;
  OnnxNetwork(const OnnxNetwork&) = delete;
  OnnxNetwork& operator=(const OnnxNetwork&) = delete;
  virtual ~OnnxNetwork() = default;

  virtual const std::vector<OnnxPort>& inputs() const = 0;
  virtual const std::vector<OnnxPort>& outputs() const = 0;

  // Of a network with one input and one output: prepares to run it on inputs of these extents, in f32, on so many
  // threads, each an input by itself; returns the output's extents. Throws kind `usage` where it takes no such input.
  virtual std::vector<std::int64_t> prepare(const std::vector<std::int64_t>& extents, int threads) = 0;
  // Once it is prepared, for a thread from 0 on, beside the others: its input, to be filled, and the output that is
  // made of it, which is valid until the thread's next run.
  virtual std::span<float> input(int thread) = 0;
  virtual std::span<const float> run(int thread) = 0;
};

// `bytes` are those of the file `name`. Throws kind `data` where they are no network that the library reads, and kind
// `usage` where there is no library.
std::unique_ptr<OnnxNetwork> read_onnx_network(const std::string& name, std::span<const std::byte> bytes);

// Which library runs them and from where, or why none does. It is loaded for this.
struct OnnxLibrary {
  bool is_usable = false;
  std::string text;
};
OnnxLibrary onnx_library();

}  // namespace duel
