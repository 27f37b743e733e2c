// Which weights draw: a checksum for whoever wants to know where a picture or a feature comes from.
#pragma once

#include "host/sample/loaded_sampling.h"
#include "kernels/context.h"

#include <string>

namespace duel {

// CRC-32C, eight hexadecimal digits, of what the sampling reads: the weights of its networks (the moving average where
// there is one), then what else the networks keep.
std::string weights_hash(Context& context, const LoadedSampling& loaded);

}  // namespace duel
