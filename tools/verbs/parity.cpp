#include "host/parity/parity.h"
#include "kernels/check.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_parity(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "parity", "Replay a recorded training trajectory (tools/record_pytorch.py) and compare every number");
  auto request = std::make_shared<ParityRequest>();
  add_text(*verb, "file", request->file, "the trajectory, a .safetensors file")->required();
  add_key(*verb, "--device", request->where, "device", "auto, cpu, cuda or cuda:N");
  add_key(*verb, "--precision", request->where, "precision", "fp32, tf32 or bf16");
  add_key(*verb, "--kernels", request->where, "kernels", "auto, ours or vendor");
  add_key(*verb, "--threads", request->where, "threads", "CPU threads; 0: as many as may be used");
  add_real(*verb, "--tolerance", request->tolerance, 1e-300, 1e300,
           "largest relative deviation of anything; otherwise 1e-4 in fp32, and more for gradients and losses in tf32 "
           "and bf16");
  verb->callback([request, &exit_code] { exit_code = run_parity(*request); });
}

}  // namespace duel
