// Independent pieces of work by several threads of the host.
#pragma once

#include <cstdint>
#include <functional>

namespace duel {

// work(i) for i from 0 to count - 1. The first exception comes out here, when all threads have ended.
void in_parallel(int threads, std::int64_t count, const std::function<void(std::int64_t)>& work);

}  // namespace duel
