// The names of oneDNN's instruction sets, those of processors that are not this one among them.
#include "kernels/cpu/onednn_isa.h"

#include <gtest/gtest.h>
#include <dnnl.hpp>

namespace duel::test {
namespace {

TEST(OnednnIsa, IsNamedWithAmxToo) {
  EXPECT_EQ(onednn_isa_name(dnnl_cpu_isa_avx512_core_bf16), "avx512_core_bf16");
  EXPECT_EQ(onednn_isa_name(dnnl_cpu_isa_avx512_core_amx), "avx512_core_amx");
  EXPECT_EQ(onednn_isa_name(0x7777), "instruction set 0x7777");
}

}  // namespace
}  // namespace duel::test
