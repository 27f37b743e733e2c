// The features that a network out of an ONNX file makes of pictures: any that takes pictures in three channels, f32
// [N,3,H,W] or [N,H,W,3], and makes one array of f32, [N,D] or a map of such pixels, over which the mean is taken.
// FILE.json beside it says what it takes for a picture (network_input.h).
#pragma once

#include "host/evaluate/extractor.h"
#include "kernels/tensor.h"

#include <functional>
#include <memory>
#include <string>

namespace duel {

// For pictures [1,H,W,C]. `threads` 0: as many as training takes. Where there is no FILE.json, `say` hears what is
// taken for granted. Throws kind `data` for a file that cannot be read, and kind `usage` for a network of another form,
// for a FILE.json that does not fit it, and for a build without a library for such files.
std::unique_ptr<Extractor> make_onnx_extractor(const std::string& file, const Shape& picture, int threads,
                                               const std::function<void(const std::string&)>& say);

}  // namespace duel
