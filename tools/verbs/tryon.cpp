#include "host/restore/try_on.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>

#include <memory>

namespace duel {

namespace {

struct TryonFlags {
  TryOn request;
  StepFlag step;
  DeviceFlags device;
};

}  // namespace

void add_tryon(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("tryon", "Lay a garment on a person (synthetic try-on), with a run's networks");
  auto flags = std::make_shared<TryonFlags>();
  TryOn& request = flags->request;
  add_text(*verb, "--person", request.person,
           "picture of a person without the upper garment, as tools/make_tryon.py "
           "draws them")
      ->required();
  add_text(*verb, "--body", request.body, "the parts of that person's body as colours, from the same set")->required();
  add_text(*verb, "--garment", request.garment, "picture of a garment that lies flat, transparent around it")
      ->required();
  add_text(*verb, "--run", request.run, "folder of the run, trained with --preset tryon")->required();
  add_text(*verb, "--out", request.out, "PNG file for the person in the garment")->required();
  flags->step.declare(*verb);
  flags->device.declare(*verb);
  verb->callback([flags, &exit_code] {
    flags->request.step = flags->step.resolve(flags->request.run);
    flags->request.where = flags->device.resolve();
    const TriedOn done = try_on(flags->request);
    fmt::print("{}: {}x{} pixels, synthetic try-on by step {}\n", flags->request.out, done.width, done.height,
               done.step);
    exit_code = 0;
  });
}

}  // namespace duel
