#include "tools/verbs/run_plan.h"

#include "host/run/progress.h"
#include "host/train/memory_check.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <ctime>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

double mebibytes(double bytes) {
  return bytes / (1 << 20);
}

double mebibytes(std::size_t bytes) {
  return mebibytes(static_cast<double>(bytes));
}

void print_network(const NetworkTable& table) {
  fmt::print("{}: {} parameters\n", table.network, table.parameter_count);
  for (const NetworkTable::Row& row : table.rows) {
    fmt::print("  {:<16} {:<18} {:>10}\n", row.name, to_string(row.shape), row.shape.count());
  }
}

void print_memory(const RunPlan& plan) {
  const MemoryUse& use = plan.memory;
  fmt::print(
      "memory on {}: {:.0f} MiB = parameters and optimiser {:.0f} + pictures {:.0f} + arena {:.0f} ({:.0f} without "
      "sharing) + workspace {:.0f}{}\n",
      plan.device, mebibytes(use.total()), mebibytes(use.parameters), mebibytes(use.pictures), mebibytes(use.arena),
      mebibytes(use.arena_unshared), mebibytes(use.workspace),
      use.snapshot > 0 ? fmt::format(" + copy for checkpoints {:.0f}", mebibytes(use.snapshot)) : "");
  if (plan.lacks_snapshot_room) {
    fmt::print("checkpoints: {}\n", kNoSnapshotRoom);
  }
}

void print_disk(const DiskUse& use) {
  if (!use.free) {
    fmt::print("disk: what is free at {} is unknown\n", use.folder.string());
    return;
  }
  fmt::print(
      "disk: up to {:.1f} MiB = {} checkpoints of {:.1f} and {} pairs of sheets of up to {:.1f}; {:.1f} MiB are "
      "free{}\n",
      mebibytes(use.most()), use.checkpoints, mebibytes(use.checkpoint), use.pairs, mebibytes(use.sheets),
      mebibytes(*use.free), use.may_fill() ? ", which may not be enough" : "");
}

double seconds_of(const RunPlan& plan) {
  return *plan.seconds_a_step * static_cast<double>(plan.steps) +
         plan.seconds_an_evaluation.value_or(0) * static_cast<double>(plan.evaluations);
}

void print_evaluations(const RunPlan& plan) {
  if (plan.seconds_an_evaluation) {
    fmt::print("evaluations: {} of {:.2f} s, {}\n", plan.evaluations, *plan.seconds_an_evaluation, plan.evaluation);
  } else if (plan.evaluations > 0) {
    fmt::print("evaluations: {}, whose time is not measured{}\n", plan.evaluations,
               plan.seconds_a_step ? "; before the run an extractor is trained, once" : "");
  }
}

void print_time(const RunPlan& plan) {
  if (!plan.seconds_a_step) {
    fmt::print("time: not measured, as training takes more than {:.0f} MiB; {} steps in all\n",
               mebibytes(kMostMeasuredBytes), plan.steps);
    return;
  }
  const double a_step = *plan.seconds_a_step, all = seconds_of(plan);
  const std::time_t end = std::time(nullptr) + static_cast<std::time_t>(all);
  std::tm local{};
  localtime_r(&end, &local);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  fmt::print("time: {:.1f} ms a step (mean of {}), {:.0f} pictures/s; {} steps take {}{}, until {}\n", a_step * 1e3,
             plan.measured_steps, plan.batch / a_step, plan.steps, duration_text(all),
             plan.seconds_an_evaluation ? " with their evaluations" : "", text);
}

}  // namespace

void print_plan(const RunPlan& plan) {
  for (const std::string& note : plan.notes) {
    fmt::print("{}\n", note);
  }
  fmt::print("data: {}, {} pictures of {}x{}x{}, {} steps an epoch at batch {}\n", plan.data, plan.pictures,
             plan.picture[1], plan.picture[2], plan.picture[3], plan.steps_per_epoch, plan.batch);
  for (const NetworkTable& table : plan.networks) {
    print_network(table);
  }
  print_memory(plan);
  if (plan.disk) {
    print_disk(*plan.disk);
  }
  print_evaluations(plan);
  print_time(plan);
}

void print_plan_json(const RunPlan& plan) {
  Json object = {{"notes", plan.notes},
                 {"data", plan.data},
                 {"pictures", plan.pictures},
                 {"picture", {plan.picture[1], plan.picture[2], plan.picture[3]}},
                 {"steps", plan.steps},
                 {"steps_per_epoch", plan.steps_per_epoch},
                 {"batch", plan.batch},
                 {"networks", Json::array()},
                 {"device", plan.device},
                 {"memory_bytes",
                  {{"total", plan.memory.total()},
                   {"parameters", plan.memory.parameters},
                   {"pictures", plan.memory.pictures},
                   {"arena", plan.memory.arena},
                   {"arena_unshared", plan.memory.arena_unshared},
                   {"workspace", plan.memory.workspace},
                   {"snapshot", plan.memory.snapshot}}},
                 {"lacks_snapshot_room", plan.lacks_snapshot_room},
                 {"ms_a_step", Json()},
                 {"measured_steps", plan.measured_steps},
                 {"evaluations", plan.evaluations},
                 {"seconds_an_evaluation", Json()},
                 {"seconds", Json()}};
  if (plan.seconds_an_evaluation) {
    object["seconds_an_evaluation"] = *plan.seconds_an_evaluation;
  }
  if (plan.seconds_a_step) {
    object["ms_a_step"] = *plan.seconds_a_step * 1e3;
    object["seconds"] = seconds_of(plan);
  }
  for (const NetworkTable& table : plan.networks) {
    Json parameters = Json::array();
    for (const NetworkTable::Row& row : table.rows) {
      parameters.push_back(
          {{"name", row.name}, {"shape", std::vector<std::int64_t>(row.shape.begin(), row.shape.end())}});
    }
    object["networks"].push_back(
        {{"name", table.network}, {"parameter_count", table.parameter_count}, {"parameters", parameters}});
  }
  if (plan.disk) {
    object["disk_bytes"] = {{"folder", plan.disk->folder.string()},  {"checkpoint", plan.disk->checkpoint},
                            {"checkpoints", plan.disk->checkpoints}, {"sheets", plan.disk->sheets},
                            {"pairs_of_sheets", plan.disk->pairs},   {"most", plan.disk->most()}};
    object["disk_bytes"]["free"] = plan.disk->free ? Json(*plan.disk->free) : Json();
  }
  fmt::print("{}\n", object.dump(2));
}

}  // namespace duel
