#include "host/generate.h"
#include "tools/verbs/verbs.h"

#include <memory>

namespace duel {

void add_generate(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("generate", "Make pictures with the generator of a run");
  auto request = std::make_shared<GenerateRequest>();
  verb->add_option("--run", request->run, "folder of the run")->required();
  verb->add_option("--out", request->out, "folder for pictures, or with --grid the PNG file")->required();
  CLI::Option* count = verb->add_option("--count", request->count, "pictures, one PNG each");
  CLI::Option* grid = verb->add_option("--grid", request->grid, "ROWSxCOLUMNS: one sheet instead");
  count->excludes(grid);
  verb->add_option("--seed", request->seed, "of the latents: the same seed gives the same bytes");
  verb->add_option("--step", request->step, "of the checkpoint; otherwise the latest");
  verb->add_flag("--raw", request->raw, "the generator as trained, not its moving average");
  verb->add_option("--device", request->device, "auto, cpu, cuda or cuda:N; the bytes are those of one kind of device");
  verb->add_option("--threads", request->threads, "CPU threads; 0: as many as may be used");
  verb->callback([request, &exit_code] {
    generate(*request);
    exit_code = 0;
  });
}

}  // namespace duel
