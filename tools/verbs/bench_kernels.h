// `duel bench kernels` and `duel bench ceilings`.
#pragma once

#include <CLI/CLI.hpp>

namespace duel {

void add_bench_kernels(CLI::App& bench, int& exit_code);
void add_bench_ceilings(CLI::App& bench, int& exit_code);

}  // namespace duel
