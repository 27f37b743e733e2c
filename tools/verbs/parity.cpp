#include "host/parity.h"
#include "kernels/check.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_parity(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "parity", "Replay a recorded training trajectory (tools/record_pytorch.py) and compare every number");
  auto request = std::make_shared<ParityRequest>();
  verb->add_option("file", request->file, "the trajectory, a .safetensors file")->required();
  verb->add_option("--device", request->device, "auto, cpu, cuda or cuda:N");
  verb->add_option("--precision", request->precision, "fp32, tf32 or bf16");
  verb->add_option("--kernels", request->kernels, "auto, ours or vendor");
  verb->add_option("--threads", request->threads, "CPU threads; 0: as many as may be used");
  verb->add_option(
          "--tolerance", request->tolerance,
          "largest relative deviation of anything; otherwise 1e-4 in fp32, and more for gradients and losses in tf32 "
          "and bf16")
      ->check(CLI::PositiveNumber);
  verb->callback([request, &exit_code] { exit_code = run_parity(*request); });
}

}  // namespace duel
