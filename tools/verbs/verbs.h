// The verbs of the command line, one file each. `add_NAME` declares a verb's options and what it does; the exit code of
// the verb that ran is left in `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

namespace duel {

// The exit code where some of the files cannot be read, as where none can.
inline constexpr int kUnread = 3;

void add_train(CLI::App& app, int& exit_code);
void add_generate(CLI::App& app, int& exit_code);
void add_classify(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_evaluate(CLI::App& app, int& exit_code);
void add_enlarge(CLI::App& app, int& exit_code);
void add_repair(CLI::App& app, int& exit_code);
void add_translate(CLI::App& app, int& exit_code);
void add_tryon(CLI::App& app, int& exit_code);
void add_augment(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_project(CLI::App& app, int& exit_code);
void add_explore(CLI::App& app, int& exit_code);
void add_data(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_info(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_roofline(CLI::App& app, int& exit_code);
void add_parity(CLI::App& app, int& exit_code);

}  // namespace duel
