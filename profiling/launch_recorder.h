// The CUDA runtime's side of a launch, for a program that is to say what it would start: kernels as nvcc compiled them,
// launched by the project's own launchers, are noted down and not run. The rest of the runtime is the emulator's
// (tests/emulator/runtime.cpp), so that no GPU is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace duel {

struct RecordedLaunch {
  std::string kernel;  // its symbol in the GPU's code
  unsigned grid[3] = {}, block[3] = {};
  std::size_t shared_bytes = 0;         // asked for by the launch
  bool overlaps_previous = false;       // programmatic dependent launch
  unsigned cluster[3] = {1, 1, 1};      // blocks
  std::vector<std::uint8_t> arguments;  // as they lie in the kernel's constant memory
};

// Where a kernel's arguments lie, which only its machine code tells.
struct ParameterPlace {
  std::size_t offset = 0, bytes = 0;
};

class LaunchRecorder {
public:
  // By the kernel's symbol; of a kernel that is not there, no arguments are noted.
  static void set_parameters(std::map<std::string, std::vector<ParameterPlace>> places);
  // The launches since the last call.
  static std::vector<RecordedLaunch> take();
};

}  // namespace duel
