#pragma once
#include "emulator/device.h"
namespace duel {
inline float bf16_lo(uint32_t x) { return __uint_as_float(x << 16); }
inline float bf16_hi(uint32_t x) { return __uint_as_float(x & 0xffff0000u); }
struct MmaIn { uint32_t a[4], b[2]; float c[4]; };
inline void need_full_warp(uint32_t m, const char* n, duel::emulator::Loc l) { if (m != 0xffffffffu) duel::emulator::fail(*duel::emulator::tls_w, "%s at %s:%d without all 32 lanes", n, duel::emulator::base_name(l.file), l.line); }

// PTX ISA "Matrix Fragments for mma.m16n8k16 with floating point type": g = lane/4, t = lane%4
//   A: a[r] holds row g + 8*(r&1), cols 2t + 8*(r>>1) + {0,1};  B: b[r] holds rows 2t + 8r + {0,1}, col g;  C: row g + 8*(i>>1), col 2t + (i&1)
inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], EMU_LOC) {
  static const char tag = 0;
  MmaIn in; memcpy(in.a, a, 16); memcpy(in.b, b, 8); memcpy(in.c, d, 16);
  duel::emulator::warp_collective(0xffffffffu, &tag, "mma.m16n8k16.bf16", &in, d, EMU_HERE, false, [&](duel::emulator::WarpView& w) {
    need_full_warp(w.mask, "mma", EMU_HERE);
    float A[16][16], B[16][8];
    for (int l = 0; l < 32; ++l) {
      const MmaIn& x = *static_cast<const MmaIn*>(w.in[l]);
      int g = l >> 2, t = l & 3;
      for (int r = 0; r < 4; ++r) { int row = g + 8 * (r & 1), col = 2 * t + 8 * (r >> 1); A[row][col] = bf16_lo(x.a[r]); A[row][col + 1] = bf16_hi(x.a[r]); }
      for (int r = 0; r < 2; ++r) { int row = 2 * t + 8 * r; B[row][g] = bf16_lo(x.b[r]); B[row + 1][g] = bf16_hi(x.b[r]); }
    }
    for (int l = 0; l < 32; ++l) for (int i = 0; i < 4; ++i) {
      int row = (l >> 2) + 8 * (i >> 1), col = 2 * (l & 3) + (i & 1);
      float s = static_cast<const MmaIn*>(w.in[l])->c[i];
      for (int k = 0; k < 16; ++k) s += A[row][k] * B[k][col];
      static_cast<float*>(w.out[l])[i] = s;
    }
  });
}
// m16n8k8 tf32: a[r]: row g + 8*(r&1), col t + 4*(r>>1); b[r]: row t + 4r, col g; the low 13 mantissa bits are ignored
inline void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], EMU_LOC) {
  static const char tag = 0;
  MmaIn in; memcpy(in.a, a, 16); memcpy(in.b, b, 8); memcpy(in.c, d, 16);
  duel::emulator::warp_collective(0xffffffffu, &tag, "mma.m16n8k8.tf32", &in, d, EMU_HERE, false, [&](duel::emulator::WarpView& w) {
    need_full_warp(w.mask, "mma", EMU_HERE);
    float A[16][8], B[8][8];
    for (int l = 0; l < 32; ++l) {
      const MmaIn& x = *static_cast<const MmaIn*>(w.in[l]);
      int g = l >> 2, t = l & 3;
      for (int r = 0; r < 4; ++r) A[g + 8 * (r & 1)][t + 4 * (r >> 1)] = __uint_as_float(x.a[r] & 0xffffe000u);
      for (int r = 0; r < 2; ++r) B[t + 4 * r][g] = __uint_as_float(x.b[r] & 0xffffe000u);
    }
    for (int l = 0; l < 32; ++l) for (int i = 0; i < 4; ++i) {
      int row = (l >> 2) + 8 * (i >> 1), col = 2 * (l & 3) + (i & 1);
      float s = static_cast<const MmaIn*>(w.in[l])->c[i];
      for (int k = 0; k < 8; ++k) s += A[row][k] * B[k][col];
      static_cast<float*>(w.out[l])[i] = s;
    }
  });
}
// ldmatrix: lane 8m+i gives the address of row i of matrix m; lane l receives elements (row l/4, cols 2(l%4)+{0,1}) of each matrix
template <bool Trans> void ldm_(uint32_t (&r)[4], const void* row, EMU_LOC_NODEF) {
  static const char tag = 0;
  if (reinterpret_cast<uintptr_t>(row) & 15) duel::emulator::fail(*duel::emulator::tls_w, "ldmatrix at %s:%d: row address is not 16-byte aligned", duel::emulator::base_name(emu_f), emu_l);
  uint32_t own[4]; memcpy(own, row, 16);           // each lane reads its own row: sanitizers see an ordinary access
  duel::emulator::warp_collective(0xffffffffu, &tag, "ldmatrix", own, r, EMU_HERE, false, [&](duel::emulator::WarpView& w) {
    need_full_warp(w.mask, "ldmatrix", EMU_HERE);
    for (int l = 0; l < 32; ++l) for (int m = 0; m < 4; ++m) {
      uint32_t v;
      if (!Trans) v = static_cast<const uint32_t*>(w.in[8 * m + (l >> 2)])[l & 3];
      else {
        int c = l >> 2, r0 = 2 * (l & 3);
        const uint16_t* p0 = static_cast<const uint16_t*>(w.in[8 * m + r0]);
        const uint16_t* p1 = static_cast<const uint16_t*>(w.in[8 * m + r0 + 1]);
        v = p0[c] | uint32_t(p1[c]) << 16;
      }
      static_cast<uint32_t*>(w.out[l])[m] = v;
    }
  });
}
inline void load_matrices(uint32_t (&r)[4], const void* row, EMU_LOC) { ldm_<false>(r, row, emu_f, emu_l); }
inline void load_transposed(uint32_t (&r)[4], const void* row, EMU_LOC) { ldm_<true>(r, row, emu_f, emu_l); }
inline duel::emulator::CopyState& cp_state() { auto& c = duel::emulator::tls_w->thr->cp; if (!c) c.reset(new duel::emulator::CopyState); return *c; }
// cp.async lands as late as allowed: at the wait that covers its group. Until then the destination is poisoned.
template <int Size> void copy_async(void* dst, const void* src, int src_bytes, EMU_LOC) {
  if ((reinterpret_cast<uintptr_t>(dst) | reinterpret_cast<uintptr_t>(src)) & (Size-1)) duel::emulator::fail(*duel::emulator::tls_w, "cp.async at %s:%d: misaligned address", duel::emulator::base_name(emu_f), emu_l);
  memset(dst, 0xff, Size);
  duel::emulator::Quiet q;
  cp_state().open.push_back({dst, src, Size, uint32_t(src_bytes)});
}
inline void copy_commit() { duel::emulator::Quiet q; auto& c = cp_state(); c.groups.push_back(std::move(c.open)); c.open.clear(); }
template <int N> void copy_wait() {
  for (;;) {
    std::vector<duel::emulator::CopyOp>* g = nullptr;
    { duel::emulator::Quiet q; auto& c = cp_state(); if (c.groups.size() > size_t(N)) { g = new std::vector<duel::emulator::CopyOp>(std::move(c.groups.front())); c.groups.erase(c.groups.begin()); } }
    if (!g) return;
    size_t n; { duel::emulator::Quiet q; n = g->size(); }
    for (size_t i = 0; i < n; ++i) {
      duel::emulator::CopyOp c; { duel::emulator::Quiet q; c = (*g)[i]; }
      if (c.src_bytes) memcpy(c.dst, c.src, c.src_bytes);
      if (c.src_bytes < c.bytes) memset(static_cast<char*>(c.dst) + c.src_bytes, 0, c.bytes - c.src_bytes);
    }
    duel::emulator::Quiet q; delete g;
  }
}

inline uint32_t to_tf32(float v) { uint32_t b = __float_as_uint(v); if ((b & 0x7f800000u) == 0x7f800000u) return b; return (b + 0x1000u) & 0xffffe000u; }
inline void wait_for_previous_kernel() {}
inline void let_next_kernel_start() {}
}
