#include "tools/verbs/device_flags.h"

#include "tools/verbs/value_flags.h"

namespace duel {

void DeviceFlags::declare(CLI::App& verb) {
  add_key(verb, "--device", options_, "device", "auto, cpu, cuda or cuda:N; the bytes are those of one kind of device");
  add_key(verb, "--threads", options_, "threads", "CPU threads; 0: as many as may be used");
}

void DeviceFlags::declare_numerics(CLI::App& verb) {
  add_key(verb, "--precision", options_, "precision", "fp32, tf32 or bf16");
  add_key(verb, "--kernels", options_, "kernels", "auto, ours or vendor");
}

}  // namespace duel
