#include "host/bench/roofline.h"
#include "host/data/open_dataset.h"
#include "tools/verbs/ceiling_flags.h"
#include "tools/verbs/option_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace duel {

namespace {

struct RooflineVerb {
  OptionFlags flags;
  CeilingFlags ceiling_flags;
  bool json = false;

  void run() const {
    const Options options = flags.resolve();
    const Data dataset = open_dataset(options.data);
    const Ceilings ceilings = ceiling_flags.resolve(options);
    const Roofline roofline = make_roofline(options, dataset, ceilings);
    json ? print_json(options, ceilings, roofline) : print_table(options, ceilings, roofline);
  }

  static void print_table(const Options& options, const Ceilings& ceilings, const Roofline& roofline) {
    constexpr double kSmallShare = 0.002;  // of the sum; those below are one line
    fmt::print("{:<24} {:>5} {:>9} {:>9} {:>10}  {:<10} {:>6}  {}\n", "operator", "calls", "GFLOP", "MB", "floor us",
               "floor of", "share", "where");
    const auto print_row = [&](const OperatorFloor& op, const char* floor_of) {
      fmt::print("{:<24} {:>5} {:>9.3f} {:>9.2f} {:>10.2f}  {:<10} {:>5.1f}%  {}\n", op.key.op, op.calls, op.gflop,
                 op.megabytes, op.us, floor_of, 100 * op.us / roofline.serial_us, op.key.where);
    };
    OperatorFloor small{{"the others", "", "--json has them"}};
    for (const OperatorFloor& op : roofline.operators) {
      if (op.us >= kSmallShare * roofline.serial_us) {
        print_row(op, op.by_operations ? "operations" : "bytes");
        continue;
      }
      small.calls += op.calls;
      small.gflop += op.gflop;
      small.megabytes += op.megabytes;
      small.us += op.us;
    }
    if (small.calls > 0) {
      print_row(small, "");
    }
    fmt::print("ceilings: {}: {:.4g} GB/s, {:.4g} TFLOP/s of {} products\n", ceilings.source,
               ceilings.gigabytes_per_second,
               ceilings.tflops(options.precision == "bf16" ? DType::bf16 : DType::f32, options.precision == "tf32"),
               options.precision);
    fmt::print(
        "{} {} batch {}: {:.1f} GFLOP and {:.0f} MB a step, of which {:.0f} MB are the optimiser's weights and "
        "moments\n",
        options.preset, options.precision, options.train.batch, roofline.gflop, roofline.megabytes,
        roofline.optimiser_megabytes);
    fmt::print(
        "floor: {:.4g} us, operator after operator; {:.4g} us where everything overlaps and activations and "
        "gradients stay in cache\n",
        roofline.serial_us, roofline.overlapped_us);
    print_gaps(ceilings.nodes, roofline);
    fmt::print("{}\n", kFloorWords);
  }

  // What the nodes of a captured step cost beside their work.
  static void print_gaps(const NodeCosts& costs, const Roofline& roofline) {
    if (costs.node <= 0) {
      return;
    }
    const auto print = [&](double us, const char* how) {
      if (us > 0) {
        fmt::print("gaps: {:.4g} us {}, {:.4g} us with the operators' floors\n", us, how, us + roofline.serial_us);
      }
    };
    print(roofline.nodes * costs.node, fmt::format("of {} nodes on one lane", roofline.nodes).c_str());
    print(roofline.nodes * costs.node_overlapped, "with programmatic launch");
    print(roofline.nodes * costs.two_lanes_node / 2, "where two lanes have half of the nodes each, without handovers");
  }

  static void print_json(const Options& options, const Ceilings& ceilings, const Roofline& roofline) {
    nlohmann::ordered_json object = {{"preset", options.preset},
                                     {"precision", options.precision},
                                     {"batch", options.train.batch},
                                     {"ceilings", ceilings.source},
                                     {"gb_per_s", ceilings.gigabytes_per_second},
                                     {"tflop_per_s_f32", ceilings.f32},
                                     {"tflop_per_s_tf32", ceilings.tf32},
                                     {"tflop_per_s_bf16", ceilings.bf16},
                                     {"gflop", roofline.gflop},
                                     {"megabytes", roofline.megabytes},
                                     {"optimiser_megabytes", roofline.optimiser_megabytes},
                                     {"serial_us", roofline.serial_us},
                                     {"overlapped_us", roofline.overlapped_us},
                                     {"nodes", roofline.nodes},
                                     {"gaps_us", roofline.nodes * ceilings.nodes.node},
                                     {"gaps_overlapped_us", roofline.nodes * ceilings.nodes.node_overlapped},
                                     {"gaps_two_lanes_us", roofline.nodes * ceilings.nodes.two_lanes_node / 2}};
    object["operators"] = nlohmann::ordered_json::array();
    for (const OperatorFloor& op : roofline.operators) {
      object["operators"].push_back({{"op", op.key.op},
                                     {"arrays", op.key.arrays},
                                     {"where", op.key.where},
                                     {"calls", op.calls},
                                     {"gflop", op.gflop},
                                     {"megabytes", op.megabytes},
                                     {"floor_us", op.us},
                                     {"floor", op.by_operations ? "operations" : "bytes"}});
    }
    fmt::print("{}\n", object.dump(2));
  }
};

}  // namespace

void add_roofline(CLI::App& app, int& exit_code) {
  CLI::App* verb =
      app.add_subcommand("roofline", "Print the least time a training step can take, operator by operator");
  auto roofline = std::make_shared<RooflineVerb>();
  roofline->flags.declare(*verb);
  roofline->ceiling_flags.declare(*verb);
  verb->add_flag("--json", roofline->json, "for programs");
  verb->callback([roofline, &exit_code] {
    roofline->run();
    exit_code = 0;
  });
}

}  // namespace duel
