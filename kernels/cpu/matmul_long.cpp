// The longest extent is divided among the threads; each walks its part in blocks of b that fit half of a core's second
// cache, copied so that vectors of columns lie one behind the other (panels), and multiplies all of its rows of `a`
// with a block. While it does, the lines of the next block are fetched. `a` is read where it lies.
//
// Where the inner extent is the long one every thread has sums of its own, added in the threads' order: a call's bytes
// depend on the number of threads and on nothing else.
#include "kernels/cpu/matmul_long.h"

#include "kernels/cpu/activation.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/register_block.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace duel {

using namespace simd;

namespace {

constexpr int kLineFloats = kLineBytes / 4;
constexpr int kBlockRows = 8, kPanelVectors = 3;
constexpr int kPanel = kPanelVectors * kLanes;          // columns
constexpr int kMostSteps = 128;                         // of the inner extent in a block
constexpr std::int64_t kBlockFloats = (128 << 10) / 4;  // of b in a block
constexpr std::int64_t kLongAtLeast = 4096;             // an extent
constexpr std::int64_t kMostSums = 1 << 16;             // results where the inner extent is the long one

struct Range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

// b as [steps, columns]: element (k, n) at data[k * step + n], or transposed at data[k + n * step].
struct Columns {
  const float* data;
  std::int64_t step;
  bool transposed;
};

struct Product {
  Rows a;
  Columns b;
  float* y;  // [M, N]
  std::int64_t N;
};

struct Extents {
  std::int64_t m, n, k;
  std::int64_t longest() const { return std::max({m, n, k}); }
};

Extents extents_of(const Matmul& p, View a, View y) {
  return {y.shape[0], y.shape.row_count(), p.transpose_a ? a.shape[0] : a.shape.row_count()};
}

// One round of a transposition: the lanes of two rows that differ in one bit change places.
template <int Bit, int... Lane>
void exchange(Vec& first, Vec& second, std::integer_sequence<int, Lane...>) {
  const Vec low = __builtin_shufflevector(first, second, ((Lane & Bit) == 0 ? Lane : kLanes + Lane - Bit)...);
  second = __builtin_shufflevector(first, second, ((Lane & Bit) == 0 ? Lane + Bit : kLanes + Lane)...);
  first = low;
}

// rows[i][j] becomes rows[j][i].
void transpose(Vec (&rows)[kLanes]) {
  unrolled<4>([&](auto power) {
    constexpr int kBit = 1 << power;
    if constexpr (kBit < kLanes) {
      unrolled<kLanes>([&](auto i) {
        if constexpr ((i & kBit) == 0) {
          exchange<kBit>(rows[i], rows[i + kBit], std::make_integer_sequence<int, kLanes>{});
        }
      });
    }
  });
}

// Copies columns n .. n+width-1 of steps k to panel [k, width].
void copy_panel(const Columns& b, Range k, std::int64_t n, int width, float* panel) {
  if (!b.transposed) {
    for (std::int64_t i = k.begin; i < k.end; ++i, panel += width) {
      for (int j = 0; j < width; j += kLanes) {
        store(panel + j, load(b.data + i * b.step + n + j));
      }
    }
    return;
  }
  for (int j = 0; j < width; j += kLanes) {
    for (std::int64_t i = k.begin; i < k.end; i += kLanes) {
      Vec rows[kLanes];
      unrolled<kLanes>([&](auto lane) { rows[lane] = load(b.data + (n + j + lane) * b.step + i); });
      transpose(rows);
      unrolled<kLanes>([&](auto lane) { store(panel + (i - k.begin + lane) * width + j, rows[lane]); });
    }
  }
}

// Lines to be fetched, a few at a time: `count` of them, line i at first + (i % across) * right + (i / across) * down.
class LinesAhead {
public:
  LinesAhead() = default;
  // `across` is a power of 2. All have been asked for after so many calls of fetch().
  LinesAhead(const float* first, std::int64_t count, std::int64_t calls, std::int64_t down, int across = 1,
             std::int64_t right = 0)
      : first_(first),
        count_(count),
        down_(down),
        right_(right),
        mask_(across - 1),
        shift_(std::countr_zero(static_cast<unsigned>(across))),
        at_once_((count + calls - 1) / calls) {}

  [[gnu::always_inline]] void fetch() {
    for (const std::int64_t stop = std::min(next_ + at_once_, count_); next_ < stop; ++next_) {
      prefetch<false>(first_ + (next_ & mask_) * right_ + (next_ >> shift_) * down_, 1);
    }
  }

private:
  const float* first_ = nullptr;
  std::int64_t count_ = 0, down_ = 0, right_ = 0, next_ = 0;
  int mask_ = 0, shift_ = 0;
  std::int64_t at_once_ = 0;
};

struct Ahead {
  LinesAhead rows, block;
  [[gnu::always_inline]] void operator()() {
    rows.fetch();
    block.fetch();
  }
};

template <int Count, Into To>
void multiply_rows(const Product& p, Range k, Range n, std::int64_t m, const float* block, Ahead& ahead) {
  const Rows a{p.a.data + m * p.a.row + k.begin * p.a.step, p.a.row, p.a.step};
  const int steps = static_cast<int>(k.size());
  float* to = p.y + m * p.N + n.begin;
  std::int64_t left = n.size();
  for (; left >= kPanel; left -= kPanel, block += kPanel * steps, to += kPanel) {
    multiply_block<Count, kPanelVectors, To>(a, block, kPanel, steps, to, p.N, ahead);
  }
  if (left >= 2 * kLanes) {
    multiply_block<Count, 2, To>(a, block, 2 * kLanes, steps, to, p.N, ahead);
    left -= 2 * kLanes, block += 2 * kLanes * steps, to += 2 * kLanes;
  }
  if (left > 0) {
    multiply_block<Count, 1, To>(a, block, kLanes, steps, to, p.N, ahead);
  }
}

// One thread's part of the product: ranges of rows, columns and steps, a block of b after the other. `streamed`: y goes
// past the caches; its rows lie on whole lines then, and all steps fit one block.
class Part {
public:
  Part(const Product& product, Range m, Range n, Range k, bool streamed, float* block)
      : product_(product), m_(m), n_(n), k_(k), streamed_(streamed), block_(block) {
    steps_ = std::min<std::int64_t>(kMostSteps, k.size());
    columns_ = std::max<std::int64_t>(kBlockFloats / steps_ / kPanel, 1) * kPanel;
  }

  void multiply() const {
    for (Range n = columns_from(n_.begin); n.size() > 0; n = columns_from(n.end)) {
      for (Range k = steps_from(k_.begin); k.size() > 0; k = steps_from(k.end)) {
        copy_block(k, n);
        if (k.begin > k_.begin) {
          multiply_block_with_rows<Into::add>(k, n);
        } else if (streamed_) {
          multiply_block_with_rows<Into::stream>(k, n);
        } else {
          multiply_block_with_rows<Into::overwrite>(k, n);
        }
      }
    }
    if (streamed_) {
      end_streams();
    }
  }

private:
  Range columns_from(std::int64_t n) const { return {n, std::min(n + columns_, n_.end)}; }
  Range steps_from(std::int64_t k) const { return {k, std::min(k + steps_, k_.end)}; }

  void copy_block(Range k, Range n) const {
    float* panel = block_;
    for (std::int64_t i = n.begin; i < n.end; i += kPanel) {
      std::int64_t left = std::min<std::int64_t>(kPanel, n.end - i);
      for (std::int64_t column = i; left > 0;) {  // three vectors, or what is left as two and one
        const int width = left == 3 * kLanes ? kPanel : left >= 2 * kLanes ? 2 * kLanes : kLanes;
        copy_panel(product_.b, k, column, width, panel);
        panel += width * k.size(), column += width, left -= width;
      }
    }
  }

  template <Into To>
  void multiply_block_with_rows(Range k, Range n) const {
    const std::int64_t panels = (n.size() + kPanel - 1) / kPanel;
    const std::int64_t calls = panels * ((k.size() + kStepsBetween - 1) / kStepsBetween);  // of between, for some rows
    Ahead ahead{{}, next_block(k, n, calls * std::max<std::int64_t>(1, m_.size() / kBlockRows))};
    std::int64_t m = m_.begin;
    for (; m + kBlockRows <= m_.end; m += kBlockRows) {
      ahead.rows = next_rows(m, k, calls);
      multiply_rows<kBlockRows, To>(product_, k, n, m, block_, ahead);
    }
    for (; m < m_.end; ++m) {
      multiply_rows<1, To>(product_, k, n, m, block_, ahead);
    }
  }

  // The block of b after this one, where it lies in one piece.
  LinesAhead next_block(Range k, Range n, std::int64_t calls) const {
    const Columns& b = product_.b;
    const bool more_steps = k.end < k_.end;
    const Range next_k = steps_from(more_steps ? k.end : k_.begin), next_n = more_steps ? n : columns_from(n.end);
    const Range inner = b.transposed ? next_k : next_n, outer = b.transposed ? next_n : next_k;
    if (inner.size() != b.step) {
      return {};
    }
    return {b.data + outer.begin * b.step, inner.size() * outer.size() / kLineFloats, calls, kLineFloats};
  }

  // What will be read of `a`: the next steps of these rows, or, where rows lie side by side, these steps of later rows.
  LinesAhead next_rows(std::int64_t m, Range k, std::int64_t calls) const {
    constexpr int kRowsAhead = 4 * kBlockRows;
    const Rows& a = product_.a;
    if (a.step == 1 && k.end < k_.end) {
      return {a.data + m * a.row + k.end,
              kBlockRows * steps_from(k.end).size() / kLineFloats,
              calls,
              kLineFloats,
              kBlockRows,
              a.row};
    }
    if (a.row == 1 && m + kRowsAhead < m_.end) {  // a line has the rows of two blocks
      const Range half =
          m / kBlockRows % 2 == 0 ? Range{k.begin, k.begin + k.size() / 2} : Range{k.begin + k.size() / 2, k.end};
      return {a.data + m + kRowsAhead + half.begin * a.step, half.size(), calls, a.step};
    }
    return {};
  }

  const Product& product_;
  Range m_, n_, k_;
  bool streamed_;
  float* block_;
  std::int64_t steps_, columns_;
};

// Part `i` of `parts` of an extent, in multiples of `unit`.
Range part_of(std::int64_t extent, std::int64_t unit, std::int64_t i, std::int64_t parts) {
  const std::int64_t units = (extent + unit - 1) / unit;
  return {std::min(units * i / parts * unit, extent), std::min(units * (i + 1) / parts * unit, extent)};
}

// y = act(sum of the parts' sums [parts, count] + bias)
void add_parts(CpuContext& context, const Activation& activation, const float* sums, std::int64_t parts, View bias,
               View y) {
  const std::int64_t count = y.count(), columns = y.shape.row_count();
  with_activation(activation, [&](auto forward, auto) {
    parallel_ranges(context, y.shape[0], std::max<std::int64_t>(1, kPointwiseGrain / columns),
                    [&, forward](std::int64_t begin, std::int64_t end) {
                      const auto own = forward;  // as in pointwise.h
                      for (std::int64_t i = begin * columns; i < end * columns; ++i) {
                        float sum = bias.shape.rank() > 0 ? bias.as<float>()[i % columns] : 0.0F;
                        for (std::int64_t part = 0; part < parts; ++part) {
                          sum += sums[part * count + i];
                        }
                        y.as<float>()[i] = own(sum);
                      }
                    });
  });
}

}  // namespace

bool suits_matmul_long(const Matmul& p, View a, View b, View bias, View y) {
  if (kLanes != 16 || a.dtype != DType::f32 || b.dtype != DType::f32 || y.dtype != DType::f32) {
    return false;
  }
  const Extents e = extents_of(p, a, y);
  if (e.longest() < kLongAtLeast || std::min({e.m, e.n, e.k}) < 2 * kLanes || e.n % kLanes != 0 ||
      (p.transpose_b && e.k % kLanes != 0)) {
    return false;
  }
  const bool is_plain = bias.shape.rank() == 0 && p.activation.kind == ActivationKind::identity;
  return e.k == e.longest() ? e.m * e.n <= kMostSums : is_plain;
}

std::size_t matmul_long_scratch_bytes(const CpuContext& context, View y) {
  const std::int64_t block = kBlockFloats + kPanel * kMostSteps;
  return static_cast<std::size_t>(context.threads() * (block + std::min<std::int64_t>(y.count(), kMostSums))) *
         sizeof(float);
}

void matmul_long(CpuContext& context, const Matmul& p, View a, View b, View bias, View y) {
  context.reserve_scratch(matmul_long_scratch_bytes(context, y));
  const Extents e = extents_of(p, a, y);
  const std::int64_t parts = std::min<std::int64_t>(context.threads(), e.longest() / kMostSteps);  // none is empty
  auto* const blocks = static_cast<float*>(context.scratch());
  constexpr std::int64_t kScratch = kBlockFloats + kPanel * kMostSteps;
  float* const sums = blocks + parts * kScratch;
  const bool is_deep = e.k == e.longest(), is_tall = !is_deep && e.m == e.longest();
  const bool streamed = !is_deep && e.k <= kMostSteps && suits_streams(y.data, y.bytes());
  parallel_ranges(context, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Rows rows = p.transpose_a ? Rows{a.as<float>(), 1, e.m} : Rows{a.as<float>(), e.k, 1};
      const Columns columns{b.as<float>(), p.transpose_b ? e.k : e.n, p.transpose_b};
      const Product product{rows, columns, is_deep ? sums + i * y.count() : y.as<float>(), e.n};
      const Range m = is_tall ? part_of(e.m, kLanes, i, parts) : Range{0, e.m};
      const Range n = is_deep || is_tall ? Range{0, e.n} : part_of(e.n, kPanel, i, parts);
      const Range k = is_deep ? part_of(e.k, kLanes, i, parts) : Range{0, e.k};
      Part(product, m, n, k, streamed, blocks + i * kScratch).multiply();
    }
  });
  if (is_deep) {
    add_parts(context, p.activation, sums, parts, bias, y);
  }
}

}  // namespace duel
