// A network of a run as a file that other programs load.
//
//   FILE.onnx          the network as a graph (onnx_graph.h)
//   FILE.safetensors   what that graph reads: its weights alone, under the same names and in the same layouts
//
// Both say in their metadata what they are: the version, the recipe, preset, step and network, whose weights they are
// and their CRC-32C, the pictures' size, the classes' names, and for ONNX what inputs and outputs hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ExportRequest {
  std::string run, to;
  std::string network;               // empty: what the recipe draws with, or answers with
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the weights as trained instead of their moving average
  bool mixes = false;                // classes as shares of each, instead of the number of one
  bool force = false;                // in place of a file that is there
  std::string version;               // of this program
};

struct Exported {
  std::string network;
  std::int64_t step = 0;
  std::size_t bytes = 0, weights = 0;        // of the file; numbers in it
  std::vector<std::string> inputs, outputs;  // "latents f32 [batch,64]"; of an ONNX file
};

// Throws kind `usage` for a name of another ending, a file that is there, a network or an option that the run has not,
// and an operator that ONNX has not; kind `data` for a run that cannot be read and a file that cannot be written.
Exported export_run(const ExportRequest& request);

}  // namespace duel
