#include "emulator/warp.h"

#include "emulator/block.h"
#include "emulator/sanitizers.h"

#include <bit>
#include <cstring>

namespace duel::emulator {

namespace {

void check_mask(Block& block, const char* name, std::uint32_t mask, Location where) {
  const Thread& thread = block.thread();
  if ((mask >> thread.lane() & 1) == 0) {
    block.fail("%s at %s:%d: thread (%u,%u,%u) is not in its own mask %08x", name, where.file_name(), where.line,
               thread.index.x, thread.index.y, thread.index.z, mask);
  }
  if (const std::uint32_t missing = mask & ~block.warp().alive; missing != 0) {
    block.fail("%s at %s:%d: the mask %08x names lane %d of warp %d, which has ended or never was", name,
               where.file_name(), where.line, mask, std::countr_zero(missing), thread.warp());
  }
}

// Whether all lanes of `mask` that wait already do so in the same operation, on the same line.
void check_convergence(Block& block, const char* name, std::uint32_t mask, WarpCompute compute, Location where) {
  const std::uint32_t waiting = block.warp().waiting & mask;
  if (waiting == 0) {
    return;
  }
  const Thread& thread = block.thread();
  const Thread& other = block.lane(std::countr_zero(waiting));
  if (other.mask != mask || other.compute != compute || other.where.line != where.line) {
    block.fail(
        "divergent warp: thread (%u,%u,%u) is in %s at %s:%d with mask %08x, thread (%u,%u,%u) waits at %s:%d "
        "with mask %08x",
        thread.index.x, thread.index.y, thread.index.z, name, where.file_name(), where.line, mask, other.index.x,
        other.index.y, other.index.z, other.where.file_name(), other.where.line, other.mask);
  }
}

WarpOperands gather(Block& block, std::uint32_t mask) {
  WarpOperands operands;
  operands.mask = mask;
  for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    operands.in[lane] = block.lane(lane).in;
    operands.out[lane] = block.lane(lane).out;
  }
  return operands;
}

// The lane that `lane` reads, or -1 where it keeps its own value.
int source_lane(Shuffle kind, int lane, int operand, int width) {
  const int first = lane & ~(width - 1), last = lane | (width - 1);
  const int distance = operand & 31;
  switch (kind) {
    case Shuffle::from_lane: return first | (operand & (width - 1));
    case Shuffle::up: return lane - distance >= first ? lane - distance : -1;
    case Shuffle::down: return lane + distance <= last ? lane + distance : -1;
    case Shuffle::exclusive_or: return (lane ^ distance) <= last ? lane ^ distance : -1;
  }
  return -1;
}

struct ShuffleOperands {
  Shuffle kind;
  const void* value;
  std::size_t bytes;
  int operand, width;
};

void compute_shuffle(const WarpOperands& operands) {
  for (std::uint32_t rest = operands.mask; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const auto& own = operands.of<ShuffleOperands>(lane);
    const int source = source_lane(own.kind, lane, own.operand, own.width);
    if (source >= 0 && (operands.mask >> source & 1) == 0) {
      fill_undefined(operands.out[lane], own.bytes);
    } else {
      std::memcpy(operands.out[lane], source < 0 ? own.value : operands.of<ShuffleOperands>(source).value, own.bytes);
    }
  }
}

void compute_ballot(const WarpOperands& operands) {
  std::uint32_t votes = 0;
  for (std::uint32_t rest = operands.mask; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    votes |= (operands.of<bool>(lane) ? 1U : 0U) << lane;
  }
  for (std::uint32_t rest = operands.mask; rest != 0; rest &= rest - 1) {
    *static_cast<std::uint32_t*>(operands.out[std::countr_zero(rest)]) = votes;
  }
}

// What every lane wrote before, every lane sees after. By way of this one, the last to arrive.
void compute_sync(const WarpOperands& operands) {
  for (std::uint32_t rest = operands.mask; rest != 0; rest &= rest - 1) {
    static_cast<SyncPoint*>(operands.out[std::countr_zero(rest)])->acquire();
  }
  for (std::uint32_t rest = operands.mask; rest != 0; rest &= rest - 1) {
    static_cast<SyncPoint*>(operands.out[std::countr_zero(rest)])->release();
  }
}

const char* to_string(Shuffle kind) {
  switch (kind) {
    case Shuffle::from_lane: return "__shfl_sync";
    case Shuffle::up: return "__shfl_up_sync";
    case Shuffle::down: return "__shfl_down_sync";
    case Shuffle::exclusive_or: return "__shfl_xor_sync";
  }
  return "?";
}

}  // namespace

void warp_operation(const char* name, std::uint32_t mask, WarpCompute compute, const void* in, void* out,
                    Location where) {
  const Quiet quiet;
  Block& block = Block::current();
  check_mask(block, name, mask, where);
  check_convergence(block, name, mask, compute, where);
  Thread& thread = block.thread();
  thread.mask = mask;
  thread.compute = compute;
  thread.in = in;
  thread.out = out;
  thread.where = where;
  Warp& warp = block.warp();
  warp.waiting |= 1U << thread.lane();
  if ((warp.waiting & mask) != mask) {
    block.wait(State::in_warp_operation, where);
    return;
  }
  warp.waiting &= ~mask;
  compute(gather(block, mask));
  block.got_on();
  block.make_ready(thread.warp(), mask & ~(1U << thread.lane()));
  block.yield();
}

void sync_warp(std::uint32_t mask, Location where) {
  const Quiet quiet;
  SyncPoint sync;
  sync.release();
  warp_operation("__syncwarp", mask, &compute_sync, nullptr, &sync, where);
  sync.acquire();
}

std::uint32_t ballot(std::uint32_t mask, bool vote, Location where) {
  std::uint32_t votes = 0;
  warp_operation("a vote", mask, &compute_ballot, &vote, &votes, where);
  return votes;
}

void shuffle(Shuffle kind, std::uint32_t mask, const void* value, void* result, std::size_t bytes, int operand,
             int width, Location where) {
  if (width < 1 || width > 32 || !std::has_single_bit(static_cast<unsigned>(width))) {
    Block::current().fail("%s at %s:%d: the width is %d, but must be a power of two up to 32", to_string(kind),
                          where.file_name(), where.line, width);
  }
  const ShuffleOperands operands{kind, value, bytes, operand, width};
  warp_operation(to_string(kind), mask, &compute_shuffle, &operands, result, where);
}

}  // namespace duel::emulator
