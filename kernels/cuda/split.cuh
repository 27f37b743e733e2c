// Sums that several blocks share. Where a product has too few tiles to fill the GPU, each tile's sums over k are cut
// into parts, a block each. Their sums are added in an order that follows from the parts' number alone, in one of two
// ways.
//
// Where blocks run in clusters (sm_90), four to eight parts of a tile are one, or all where there are fewer. Each block
// leaves its sums in its own shared memory, and adds its share of the tile's vectors from the shared memory of all,
// rank after rank. Of more clusters than one, each leaves what it has in `partials`, and the block of each rank that
// comes last adds its vectors, cluster after cluster.
//
// Elsewhere each block leaves its sums in `partials`, [parts, elements of the result], and a second kernel adds them,
// spread over the whole GPU:
//
//   warp l of a block    adds parts l, l + 8, l + 16, ... of 32 vectors of elements, four loads in flight
//   then                 the eight sums of each element are added in order, and stored as the product says
//
// Moved: every partial once.
#pragma once

#include "kernels/cuda/epilogue.cuh"

#include <algorithm>

namespace duel {

struct Split {
  int parts = 1;                // blocks per tile: gridDim.z
  int k_per_part = 0;           // a multiple of the tile's depth
  float* partials = nullptr;    // [parts, m, n]; in clusters [clusters of a tile, tiles, elements of a tile]
  int cluster = 1;              // blocks of a cluster; `parts` is a multiple of it
  unsigned* tickets = nullptr;  // [tiles, cluster]

  // Leaves two neighbours in a row, `column` even, of this block's part.
  __device__ __forceinline__ void store_pair(int m, int n, int row, int column, float first, float second) const {
    if (row >= m || column >= n) {
      return;
    }
    float* const to = partials + (std::int64_t{blockIdx.z} * m + row) * n + column;
    if (n % 2 == 0) {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    } else {
      to[0] = first;
      if (column + 1 < n) {
        to[1] = second;
      }
    }
  }
};

// ---- in clusters

inline constexpr int kMostInCluster = 8;  // blocks, on every GPU that has clusters

// Adds up what the blocks of all parts have in their shared array `sums`, where its vector v of `Width` elements lies
// at `place(v)`, and calls `store(v, sum)` for each of the `vectors` in one thread of one block. All threads must call
// it; this block's sums are written. `part`: the number of this block's among `parts`; neighbours are a cluster. `tile`
// of `tiles` sums that are shared in this way.
template <int Width, int Threads, class Place, class Store>
__device__ __forceinline__ void add_in_clusters(const Split& split, const float* sums, int vectors, int part, int tile,
                                                int tiles, const Place& place, const Store& store) {
  const int cluster = split.cluster, clusters = split.parts / cluster, rank = part % cluster;
  const int first = rank * Threads + static_cast<int>(threadIdx.x), step = cluster * Threads;
  const auto partial = [&](int of, int v) {
    return split.partials + ((std::int64_t{of} * tiles + tile) * vectors + v) * Width;
  };
  cluster_barrier();  // the sums of all blocks are there
  for (int v = first; v < vectors; v += step) {
    Vector<float, Width> sum{};
#pragma unroll
    for (int r = 0; r < kMostInCluster; ++r) {
      if (r < cluster) {
        const auto loaded = load_vector<float, Width>(in_cluster(sums, static_cast<unsigned>(r)) + place(v));
#pragma unroll
        for (int i = 0; i < Width; ++i) {
          sum.values[i] += loaded.values[i];
        }
      }
    }
    if (clusters == 1) {
      store(v, sum.values);
    } else {
      store_vector(partial(part / cluster, v), sum);
    }
  }
  cluster_barrier();  // no block has gone before the others have read its sums
  if (clusters == 1 || !is_last_block(split.tickets + tile * cluster + rank, static_cast<unsigned>(clusters))) {
    return;  // the whole block
  }
  for (int v = first; v < vectors; v += step) {
    Vector<float, Width> sum{};
#pragma unroll 8
    for (int of = 0; of < clusters; ++of) {
      const auto loaded = load_vector<float, Width>(partial(of, v));
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sum.values[i] += loaded.values[i];
      }
    }
    store(v, sum.values);
  }
}

// The same of a product's tile [TileRows, TileColumns], whose rows lie `pitch` floats apart.
template <int TileRows, int TileColumns, int Threads, class Rows>
__device__ __forceinline__ void finish_in_clusters(const Split& split, const Epilogue<Rows>& epilogue,
                                                   const float* sums, int pitch, int first_m, int first_n) {
  constexpr int kPerRow = TileColumns / 4;
  add_in_clusters<4, Threads>(
      split, sums, TileRows * kPerRow, static_cast<int>(blockIdx.z),
      static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x), static_cast<int>(gridDim.x * gridDim.y),
      [pitch](int v) { return v / kPerRow * pitch + v % kPerRow * 4; },
      [&](int v, float(&sum)[4]) {
        const int m = first_m + v / kPerRow, n = first_n + v % kPerRow * 4;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          sum[i] += epilogue.bias_at(n + i);
        }
        if (epilogue.takes_vectors) {
          epilogue.store_vector(m, n, sum);
        } else {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            epilogue.store(m, n + i, sum[i]);
          }
        }
      });
}

// ---- by a second kernel

inline constexpr int kSumPartsThreads = 256, kSumPartsLanes = kSumPartsThreads / 32;

// Store: from (element, sum) to where it belongs.
template <int Width, class Store>
__global__ void __launch_bounds__(kSumPartsThreads) sum_parts_kernel(const float* partials,  // [parts, elements]
                                                                     int parts, int elements, const Store store) {
  constexpr int kColumns = 32 * Width;
  DUEL_SHARED_ALIGNED(16, lanes, float[kSumPartsLanes][kColumns]);
  const int thread = static_cast<int>(threadIdx.x), lane = thread / 32, column = thread % 32 * Width;
  const std::int64_t first = std::int64_t{blockIdx.x} * kColumns;
  float sums[Width] = {};
  if (first + column < elements) {
    const float* from = partials + first + column;
#pragma unroll 4
    for (int part = lane; part < parts; part += kSumPartsLanes) {
      const auto loaded = load_vector<float, Width>(from + std::int64_t{part} * elements);
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sums[i] += loaded.values[i];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    lanes[lane][column + i] = sums[i];
  }
  __syncthreads();  // an element is added up from the sums of all warps
  for (int i = thread; i < kColumns && first + i < elements; i += kSumPartsThreads) {
    float sum = lanes[0][i];
#pragma unroll
    for (int other = 1; other < kSumPartsLanes; ++other) {
      sum += lanes[other][i];
    }
    store(static_cast<int>(first) + i, sum);
  }
}

template <class Store>
void sum_parts(CudaContext& context, const char* op, const float* partials, int parts, int elements,
               const Store& store) {
  const auto run = [&](auto width) {
    constexpr int kColumns = 32 * decltype(width)::value;
    launch(context, op, {static_cast<unsigned>((elements + kColumns - 1) / kColumns), kSumPartsThreads},
           sum_parts_kernel<decltype(width)::value, Store>, partials, parts, elements, store);
  };
  elements % 4 == 0 ? run(std::integral_constant<int, 4>{}) : run(std::integral_constant<int, 1>{});
}

// Element i of a product is row i / n, column i % n.
template <class Rows>
struct ProductStore {
  Epilogue<Rows> epilogue;
  Divider by_n;

  explicit ProductStore(const Epilogue<Rows>& of) : epilogue(of), by_n(of.n) {}
  __device__ __forceinline__ void operator()(int element, float sum) const {
    const int row = by_n.quotient(element);
    const int column = by_n.remainder(element, row);
    epilogue.store(row, column, sum + epilogue.bias_at(column));
  }
};

template <class Rows>
void finish_split(CudaContext& context, const char* op, const Split& split, const Epilogue<Rows>& epilogue) {
  if (split.parts > 1 && split.cluster == 1) {
    sum_parts(context, op, split.partials, split.parts, epilogue.m * epilogue.n, ProductStore<Rows>(epilogue));
  }
}

// ---- how many parts

// `steps` steps in at most `parts` parts of equally many. Clusters are of eight blocks, as fewer blocks of more
// clusters take longer to add these, unless that costs more than a sixteenth of the parts: then of the size, from four
// on, that leaves the fewest parts without steps.
inline Split share(CudaContext& context, std::int64_t steps, std::int64_t parts) {
  Split split;
  split.partials = static_cast<float*>(context.partials());
  split.tickets = context.tickets();
  if (context.runs_clusters() && parts > kMostInCluster && parts % kMostInCluster <= parts / 16) {
    parts -= parts % kMostInCluster;
  }
  split.k_per_part = static_cast<int>((steps + parts - 1) / parts);
  const int filled = static_cast<int>((steps + split.k_per_part - 1) / split.k_per_part);
  split.parts = filled;
  if (!context.runs_clusters()) {
    return split;
  }
  split.cluster = std::min(filled, kMostInCluster);
  const auto padded = [filled](int cluster) { return (filled + cluster - 1) / cluster * cluster; };
  for (int cluster = split.cluster - 1; cluster >= kMostInCluster / 2; --cluster) {
    if (padded(cluster) + filled / 16 < padded(split.cluster)) {
      split.cluster = cluster;
    }
  }
  split.parts = padded(split.cluster);
  check(3 * context.multiprocessors() <= CudaContext::kTickets, "sums in parts: {} multiprocessors",
        context.multiprocessors());  // a ticket for each block at most: two a multiprocessor, and those without steps
  return split;
}

// Tiles are shared among blocks until these fill the GPU twice, as far as the memory for the partial sums and a decent
// length of each part (four tiles deep) allow.
inline Split split_for(CudaContext& context, std::int64_t tiles, int m, int n, int k, int depth) {
  const std::int64_t steps = (std::int64_t{k} + depth - 1) / depth;
  std::int64_t parts = std::max<std::int64_t>(1, 2 * context.multiprocessors() / tiles);
  parts = std::min(parts, std::max<std::int64_t>(1, steps / 4));
  parts = std::min<std::int64_t>(parts, CudaContext::kPartialBytes / sizeof(float) / (std::int64_t{m} * n));
  if (parts <= 1) {
    return {1, k};
  }
  Split split = share(context, steps, parts);
  split.k_per_part *= depth;
  return split;
}

// What a block of a split product needs of shared memory at its end.
template <int TileRows, int TileColumns>
struct SplitTile {
  static constexpr int kPitch = TileColumns + 8;  // eight rows' pairs lie in banks of their own
  static constexpr std::size_t kBytes = sizeof(float) * TileRows * kPitch;
};

}  // namespace duel
