#include "emulator/async_copy.h"

#include "emulator/block.h"

#include <cstdint>
#include <cstring>

namespace duel::emulator {

void AsyncCopies::clear() {
  copies_.clear();
  landed_ = 0;
  groups_ = 0;
}

void AsyncCopies::begin(void* to, const void* from, std::size_t bytes, std::size_t read) {
  copies_.push_back({to, from, bytes, read, groups_});
}

bool AsyncCopies::take(int in_flight, Copy* copy) {
  if (landed_ == copies_.size() || copies_[landed_].group >= groups_ - in_flight) {
    return false;
  }
  *copy = copies_[landed_++];
  if (landed_ == copies_.size()) {
    copies_.clear();
    landed_ = 0;
  }
  return true;
}

void async_copy(void* shared, const void* global, int bytes, int read, Location where) {
  const auto size = static_cast<std::size_t>(bytes);
  {
    const Quiet quiet;
    Block& block = Block::current();
    const auto is_aligned = [size](const void* data) { return reinterpret_cast<std::uintptr_t>(data) % size == 0; };
    if (!is_aligned(shared) || !is_aligned(global)) {
      block.fail("cp.async at %s:%d: an address is not a multiple of %d", where.file_name(), where.line, bytes);
    }
    if (read < 0 || read > bytes) {
      block.fail("cp.async at %s:%d: %d of %d bytes are to be read", where.file_name(), where.line, read, bytes);
    }
    if (!block.shared().contains(shared, size)) {
      block.fail("cp.async at %s:%d: the destination is not in shared memory", where.file_name(), where.line);
    }
    block.thread().copies.begin(shared, global, size, static_cast<std::size_t>(read));
  }
  fill_undefined(shared, size);  // a write of this thread, not Quiet: it must not race with who reads what was there
}

void async_commit() {
  const Quiet quiet;
  Block::current().thread().copies.commit();
}

void async_wait(int in_flight) {
  for (;;) {
    AsyncCopies::Copy copy{};
    {
      const Quiet quiet;
      if (!Block::current().thread().copies.take(in_flight, &copy)) {
        return;
      }
    }
    if (copy.read > 0) {  // otherwise the source may be anywhere
      std::memcpy(copy.to, copy.from, copy.read);
    }
    std::memset(static_cast<char*>(copy.to) + copy.read, 0, copy.bytes - copy.read);
  }
}

}  // namespace duel::emulator
