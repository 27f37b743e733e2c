#include "host/parity/parity.h"
#include "kernels/check.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kParityOffExitCode = 6;
constexpr const char* kRow = "{:>5} {:<8}{} {:>9}  {:<27} {:>9}  {:<27} {:>9}{}\n";

void print_head(const ParityReport& report) {
  fmt::print("{}: {} steps of preset {}, loss {}, batch {}, pictures {}x{}x{}, recorded by {}\n", report.file.string(),
             report.recorded_steps, report.preset, report.loss, report.batch, report.picture[1], report.picture[2],
             report.picture[3], report.recorder);
  fmt::print(
      "replayed on {} in {}; bounds: loss {:.0e}, gradient in norm {:.0e}, in one element {:.0e}, weight {:.0e}\n",
      report.device, report.precision, report.bounds.loss, report.bounds.gradient_norm, report.bounds.gradient_element,
      report.bounds.weight);
  fmt::print(
      "Each number is a deviation from the record: of a loss, over its size; of gradients, the largest of any "
      "tensor's,\n"
      "|difference| over |recorded| in norm, and the most wrong element over the tensor's largest; of weights, over "
      "the\n"
      "learning rate; of what else outlives a step (state), over its largest. Each update takes the recorded "
      "gradients,\n"
      "after the engine's own were compared with them.\n"
      "Rows `recorder`: what the recording program's own float32 deviates, from the recorded weights.\n");
  const ReplayedStep& first = report.steps.front();
  std::string losses;
  for (const Deviation& loss : first.duel.losses) {
    losses += fmt::format(" {:>9}", loss.tensor);
  }
  fmt::print(kRow, "step", "", losses, "in norm", "most in", "element", "most in", "weights",
             first.state.tensor.empty() ? "" : "     state");
}

// "generator/dense1/weight", without the kind that the column's title says.
std::string short_name(const Deviation& deviation) {
  const std::string kind = "gradient/";
  std::string name = deviation.tensor;
  const std::size_t at = name.find(kind);
  return at == std::string::npos ? name : name.erase(at, kind.size());
}

std::string number(double value) {
  return fmt::format("{:.1e}", value);
}

// `columns`: the losses of the first step, at which every phase runs.
std::string loss_cells(const Deviations& columns, const Deviations& deviations) {
  std::string cells;
  for (const Deviation& column : columns.losses) {
    const auto found = std::ranges::find(deviations.losses, column.tensor, &Deviation::tensor);
    cells += fmt::format(" {:>{}}", found == deviations.losses.end() ? "" : number(found->value),
                         std::max<std::size_t>(9, column.tensor.size()));
  }
  return cells;
}

void print_row(const std::string& step, const char* who, const std::string& losses, const Deviations& deviations,
               const std::string& weights, const std::string& state) {
  fmt::print(kRow, step, who, losses, number(deviations.norm.value), short_name(deviations.norm),
             number(deviations.element.value), short_name(deviations.element), weights, state);
}

void print_step(const ParityReport& so_far) {
  if (so_far.steps.size() == 1) {
    print_head(so_far);
  }
  const Deviations& columns = so_far.steps.front().duel;
  const ReplayedStep& step = so_far.steps.back();
  print_row(fmt::format("{}", step.step), "duel", loss_cells(columns, step.duel), step.duel, number(step.weight.value),
            step.state.tensor.empty() ? "" : fmt::format(" {:>9}", number(step.state.value)));
  if (step.recorders_float32) {
    print_row("", "recorder", loss_cells(columns, *step.recorders_float32), *step.recorders_float32, "", "");
  }
  std::fflush(stdout);
}

void print_end(const ParityReport& report) {
  const ReplayedStep* step = report.off();
  if (step == nullptr) {
    fmt::print("parity: ok\n");
    return;
  }
  const Off& off = *step->first_off;
  fmt::print(
      "parity: off at step {}: {} deviates by {:.2e}{}{}, bound {:.1e}{}\n", step->step, off.deviation.tensor,
      off.deviation.value, *off.measure == '\0' ? "" : " ", off.measure, off.bound,
      off.recorders_float32 ? fmt::format("; the recorder's own float32 by {:.2e}", *off.recorders_float32) : "");
  if (!report.doubt.empty()) {
    fmt::print("parity: {}\n", report.doubt);
  }
}

Json to_json(const Deviation& deviation) {
  return {{"tensor", deviation.tensor}, {"value", deviation.value}};
}

Json to_json(const Deviations& deviations) {
  Json object = Json::object();
  for (const Deviation& loss : deviations.losses) {
    object[loss.tensor] = loss.value;
  }
  object["gradient_norm"] = to_json(deviations.norm);
  object["gradient_element"] = to_json(deviations.element);
  return object;
}

Json to_json(const ReplayedStep& step) {
  Json object = {{"step", step.step}, {"duel", to_json(step.duel)}, {"weight", to_json(step.weight)}};
  if (!step.state.tensor.empty()) {
    object["state"] = to_json(step.state);
  }
  if (step.recorders_float32) {
    object["recorder_float32"] = to_json(*step.recorders_float32);
  }
  if (const std::optional<Off>& off = step.first_off) {
    object["off"] = to_json(off->deviation);
    object["off"]["measure"] = off->measure;
    object["off"]["bound"] = off->bound;
  }
  return object;
}

void print_json(const ParityReport& report) {
  Json object = {{"file", report.file.string()},
                 {"recorder", report.recorder},
                 {"preset", report.preset},
                 {"loss", report.loss},
                 {"batch", report.batch},
                 {"picture", {report.picture[1], report.picture[2], report.picture[3]}},
                 {"device", report.device},
                 {"precision", report.precision},
                 {"bounds",
                  {{"loss", report.bounds.loss},
                   {"gradient_norm", report.bounds.gradient_norm},
                   {"gradient_element", report.bounds.gradient_element},
                   {"weight", report.bounds.weight}}}};
  object["ok"] = report.off() == nullptr;
  object["doubt"] = report.doubt;
  object["steps"] = Json::array();
  for (const ReplayedStep& step : report.steps) {
    object["steps"].push_back(to_json(step));
  }
  fmt::print("{}\n", object.dump(2));
}

int run(const ParityRequest& request, bool json) {
  const ParityReport report = json ? run_parity(request) : run_parity(request, print_step);
  json ? print_json(report) : print_end(report);
  return report.off() == nullptr ? 0 : kParityOffExitCode;
}

}  // namespace

void add_parity(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "parity", "Replay a recorded training trajectory (tools/record_pytorch.py) and compare every number");
  auto request = std::make_shared<ParityRequest>();
  auto device = std::make_shared<DeviceFlags>();
  auto json = std::make_shared<bool>(false);
  add_text(*verb, "file", request->file, "the trajectory, a .safetensors file")->required();
  device->declare(*verb);
  device->declare_numerics(*verb);
  add_real(*verb, "--tolerance", request->tolerance, 1e-300, 1e300,
           "largest relative deviation of anything; otherwise 1e-4 in fp32, and more for gradients and losses in tf32 "
           "and bf16");
  verb->add_flag("--json", *json, "for programs");
  verb->callback([request, device, json, &exit_code] {
    request->where = device->resolve();
    exit_code = run(*request, *json);
  });
}

}  // namespace duel
