#include "kernels/rows.h"

#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

namespace {

std::size_t row_bytes(View view) {
  return view.bytes() / static_cast<std::size_t>(view.shape[0]);
}

void copy_bytes(CpuContext& context, void* to, const void* from, std::size_t bytes) {
  constexpr std::int64_t kGrain = 1 << 18;  // below, one core's copy is as fast
  parallel_ranges(context, static_cast<std::int64_t>(bytes), kGrain, [=](std::int64_t begin, std::int64_t end) {
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                static_cast<std::size_t>(end - begin));
  });
}

}  // namespace

void concat_rows(CpuContext& context, View a, View b, View y) {
  copy_bytes(context, y.data, a.data, a.bytes());
  copy_bytes(context, y.as<char>() + a.bytes(), b.data, b.bytes());
}

void slice_rows(CpuContext& context, int begin, View x, View y) {
  copy_bytes(context, y.data, x.as<char>() + static_cast<std::size_t>(begin) * row_bytes(x), y.bytes());
}

void pad_rows(CpuContext& context, int begin, View x, View y) {
  const std::size_t before = static_cast<std::size_t>(begin) * row_bytes(y), after = before + x.bytes();
  std::memset(y.data, 0, before);
  copy_bytes(context, y.as<char>() + before, x.data, x.bytes());
  std::memset(y.as<char>() + after, 0, y.bytes() - after);
}

}  // namespace duel
