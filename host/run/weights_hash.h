// Which weights a checkpoint's network computes with, in a few letters: so that figures which come of its outputs can
// say whose they are.
#pragma once

#include <filesystem>
#include <string>

namespace duel {

// "crc32c 0123abcd": CRC-32C of the lines "NAME xxxxxxxx\n", in the order of the names, byte for byte, one for each
// tensor that sampling with the network reads: its weights, or their moving average where there is one, and its state.
// NAME begins with the network's, and xxxxxxxx is the CRC-32C of the tensor's bytes. What the optimiser keeps does not
// count. Throws kind `data` where the checkpoint cannot be read, or has no such network.
std::string weights_hash(const std::filesystem::path& checkpoint, const std::string& network);

}  // namespace duel
