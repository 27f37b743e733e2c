// The instruction set that oneDNN generates its kernels for, by name.
#pragma once

#include <string>

namespace duel {

// Of a dnnl_cpu_isa_t: "avx512_core_amx"; of one that has no name here, its number.
std::string onednn_isa_name(int isa);

}  // namespace duel
