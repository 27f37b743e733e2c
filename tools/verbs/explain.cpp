// `duel explain`: why a classifier or a discriminator answers what it answers.
#include "host/explain/explain.h"

#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace duel {

namespace {

std::vector<Method> methods_named(const std::string& text) {
  std::vector<Method> methods;
  std::size_t begin = 0;
  while (begin <= text.size() && !text.empty()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string key = text.substr(begin, end - begin);
    const std::size_t before = methods.size();
    for (const Method method : kMethods) {
      if (key == key_of(method)) {
        methods.push_back(method);
      }
    }
    if (methods.size() == before) {
      throw_error(Error::Kind::usage, "--methods {}: {} is none of gradient, smooth-grad, grad-cam, integrated", text,
                  key.empty() ? "\"\"" : key);
    }
    begin = end + 1;
  }
  return methods;
}

Baseline baseline_named(const std::string& text) {
  const std::map<std::string, Baseline> known = {
      {"black", Baseline::black}, {"grey", Baseline::grey}, {"blurred", Baseline::blurred}};
  const auto found = known.find(text);
  if (found == known.end()) {
    throw_error(Error::Kind::usage, "--baseline {}: must be black, grey or blurred", text);
  }
  return found->second;
}

struct Explain {
  ExplainRequest request;
  StepFlag step;
  DeviceFlags device;
  std::string methods, baseline = "black";
  bool json = false;

  void declare(CLI::App& verb) {
    add_text(verb, "--run", request.run, "folder of the run, of a classifier or with a discriminator")->required();
    verb.add_option("FILES", request.files, "pictures, and folders of them, as `duel classify` takes them");
    add_text(verb, "--out", request.out, "folder for the sheets and tables")->required();
    add_text(verb, "--network", request.network, "classifier or discriminator, where a run has several that answer");
    add_text(
        verb, "--class", request.class_name,
        "what is explained: a class or tag, otherwise the most probable one; of a discriminator by class the class "
        "that it is told");
    add_text(verb, "--methods", methods, "gradient,smooth-grad,grad-cam,integrated: some of these, otherwise all");
    add_integer(verb, "--samples", request.smoothing.samples, 1, 500, "of SmoothGrad: copies with noise; 32");
    add_real(verb, "--sigma", request.smoothing.sigma, 0.0, 1.0,
             "of SmoothGrad: the noise, as a share of the range of a pixel; 0.15");
    add_integer(verb, "--seed", request.smoothing.seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                "of the noise, and of the random map of --curves");
    add_integer(verb, "--points", request.integration.points, 1, 10'000,
                "of integrated gradients: on the way from the baseline; 50");
    add_text(verb, "--baseline", baseline, "of integrated gradients: black, grey or blurred; black");
    verb.add_flag(
        "--units", request.has_units,
        "the channels of the last map as well: the pictures that each answers to, and what the logit has by it");
    add_integer(verb, "--curves", request.curves, 1, 10'000,
                "N: test the maps on so many held-out pictures of the run's data, by deleting and inserting pixels");
    step.declare(verb);
    verb.add_flag("--raw", request.raw, "the weights as trained, not their moving average");
    device.declare(verb);
    verb.add_flag("--json", json, "for programs; also in explanations.json");
  }

  int run() {
    request.methods = methods_named(methods);
    request.integration.baseline = baseline_named(baseline);
    request.step = step.resolve(request.run);
    request.where = device.resolve();
    request.progress = show_decoding();
    const Explained explained = explain(request);
    fmt::print("{}", json ? to_json(explained) + "\n" : to_text(explained, request.out));
    for (const SkippedFile& file : explained.unread) {
      fmt::print(stderr, "{}: {}\n", file.file, file.reason);
    }
    return explained.unread.empty() ? 0 : kUnread;
  }
};

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("explain", "Show why a classifier or discriminator answers what it answers");
  auto explain = std::make_shared<Explain>();
  explain->declare(*verb);
  verb->callback([explain, &exit_code] { exit_code = explain->run(); });
}

}  // namespace duel
