// Work on the rows of a large array, block by block on several threads. Which rows make a block does not depend on the
// number of threads, so that sums of blocks, added in their order, do not either.
#pragma once

#include <cstdint>
#include <functional>

namespace duel {

// Calls work(block, first, end) once for each block of rows first..end-1, of `rows` rows each but the last, from up to
// `threads` threads; 0: as many as the machine has. What a call throws is thrown to the caller when all have ended.
void for_row_blocks(std::int64_t count, std::int64_t rows, int threads,
                    const std::function<void(std::int64_t block, std::int64_t first, std::int64_t end)>& work);

constexpr std::int64_t row_block_count(std::int64_t count, std::int64_t rows) {
  return (count + rows - 1) / rows;
}

}  // namespace duel
