// IDX files, the format of MNIST and Fashion-MNIST: a magic number, big-endian extents, then the elements.
//
// Plain and gzip files are told apart by their content, so a name may say either. Everything that a download can
// do to a file is an error of kind `data` with the path in it: bytes missing or left over, a flipped bit (gzip's
// checksum is verified), a header that promises more than the file holds. Format: http://yann.lecun.com/exdb/mnist
#pragma once

#include "kernels/tensor.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace duel {

struct IdxArray {
  Shape shape;                       // labels [N]; pictures [N,H,W] or [N,H,W,C] with C 1 to 4
  std::vector<std::uint8_t> values;  // as many as the shape says
};

// Only unsigned bytes (element type 0x08), and only the shapes above; a side has at most 8192 elements.
IdxArray read_idx(const std::filesystem::path& file);

}  // namespace duel
