#include "host/device/device.h"

#include "host/device/choice_cache.h"
#include "host/device/default_threads.h"
#include "host/device/device_probe.h"
#include "host/device/inline_queue.h"
#include "host/device/make_cuda_queue.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

std::string resolve_device(const std::string& device) {
  if (device != "auto") {
    return device;
  }
  return Context::cuda_devices().names.empty() ? "cpu" : "cuda:0";
}

std::string why_not_cuda(const std::string& device) {
  if (device != "auto") {
    return "";
  }
  const Context::CudaDevices devices = Context::cuda_devices();
  return devices.names.empty() ? "no GPU: " + devices.why_none : "";
}

namespace {

KernelChoice kernel_choice(const std::string& kernels) {
  return kernels == "vendor" ? KernelChoice::vendor : kernels == "ours" ? KernelChoice::ours : KernelChoice::automatic;
}

int lanes_of(Context& context, int asked) {
  const int most = context.most_lanes();
  return asked == 0 ? most : std::min(asked, most);
}

}  // namespace

Context make_context(const DeviceRequest& request) {
  const std::string device = resolve_device(request.device);
  const KernelChoice choice = kernel_choice(request.kernels);
  if (const std::optional<int> number = cuda_number(device)) {
    const bool remembers = choice != KernelChoice::ours;
    Context context = Context::cuda(*number, request.precision == "tf32", choice,
                                    remembers ? std::make_shared<ChoiceCache>(ChoiceCache::default_path()) : nullptr);
    context.open_lanes(lanes_of(context, request.lanes), 0);  // before anybody asks how much memory is free
    return context;
  }
  check(device == "cpu", "make_context: {} is no device", device);
  return Context::cpu(request.threads > 0 ? request.threads : default_threads().threads, choice);
}

std::string resolved_comments(Context& context, const Options& options) {
  std::string text = "# What they came to where this was written, for people; it is not read back:\n";
  const auto add = [&](const std::string& name, const std::string& value) {
    text += fmt::format("#   {:<22} {}\n", name, value);
  };
  add("device", options.device == "auto" ? fmt::format("{} (auto)", context.name()) : context.name());
  const bool is_gpu = cuda_number(resolve_device(options.device)).has_value();
  add("kernels", is_gpu                        ? options.kernels + "; log.txt counts those that were chosen"
                 : options.kernels == "vendor" ? "oneDNN's where it has one"
                                               : "oneDNN's matrix products and convolutions, ours for the rest");
  for (const auto& [name, value] : context.describe()) {
    add(name, value);
  }
  return text;
}

int planned_lanes(Context& context, const Options& options) {
  return lanes_of(context, options.schedule.lanes);
}

LaneRequest lane_request(Context& context, const Options& options) {
  const int lanes = planned_lanes(context, options);
  if (lanes == 1) {
    return lanes;  // nothing to decide
  }
  const std::optional<DeviceProbe> probe = remembered_probe(remembered_probes_path(), context.name());
  return {lanes, probe ? lane_costs_of(*probe) : LaneCosts{}};
}

std::unique_ptr<DeviceQueue> make_device_queue(Context& context, bool graphs) {
  if (context.native_stream() != nullptr) {
    return make_cuda_queue(context, graphs);
  }
  return std::make_unique<InlineQueue>();
}

}  // namespace duel
