#include "host/recipes/cyclegan.h"

#include "engine/nn/difference.h"
#include "engine/ops/ops.h"
#include "host/recipes/unpaired.h"
#include "host/recipes/unpaired_networks.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr const char* kThere = "generator";
constexpr const char* kBack = "generator_back";
constexpr const char* kJudgeThere = "discriminator";
constexpr const char* kJudgeBack = "discriminator_back";

// mean |a - b|
class CycleGan : public Recipe {
public:
  CycleGan(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options), unpaired_(options, fields, steps, "cyclegan") {
    make_networks();
  }

  std::string name() const override { return "cyclegan"; }

  std::vector<NamedNetwork> make_networks() const override {
    const Field& picture = unpaired_.picture();
    std::vector<NamedNetwork> networks;
    for (const char* generator : {kThere, kBack}) {
      networks.push_back({make_translator(generator, options_.model, picture), true, true});
    }
    for (const char* discriminator : {kJudgeThere, kJudgeBack}) {
      networks.push_back({make_patch_judge(discriminator, options_.model, picture), false, true});
    }
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"d_main", {kJudgeThere, kJudgeBack}, [this](StepRecorder& r) { record_discriminators(r); }},
            {"g_main", {kThere, kBack}, [this](StepRecorder& r) { record_generators(r); }}};
  }

  std::vector<DrawnField> batches() const override {
    return {{"d_sources", kGiven, "picture"},
            {"d_targets", kWanted, "picture"},
            {"g_sources", kGiven, "picture"},
            {"g_targets", kWanted, "picture"}};
  }

  std::vector<std::string> metrics() const override {
    std::vector<std::string> names = {"d_loss", "g_loss"};
    for (const std::string& name : unpaired_.discriminator_metrics()) {
      names.push_back(name);
    }
    names.insert(names.end(), {"g_grad_norm", "adversary", "cycle"});
    if (has_identity()) {
      names.emplace_back("identity");
    }
    return names;
  }

  Sampling sampling() const override { return unpaired_.sampling(kThere); }
  std::map<std::string, Sampling> single_networks() const override { return {{kBack, unpaired_.sampling(kBack)}}; }
  std::optional<Sampling> translation() const override { return sampling(); }

private:
  bool has_identity() const { return options_.loss.identity > 0; }

  void record_discriminators(StepRecorder& r) const {
    const Value x = unpaired_.pictures(r, "d_sources", kGiven), y = unpaired_.pictures(r, "d_targets", kWanted);
    unpaired_.update_discriminators(r,
                                    {{kJudgeThere, y, r.run(kThere, {x})[0]}, {kJudgeBack, x, r.run(kBack, {y})[0]}});
  }

  // What a generator makes of the pictures that it is for, and where asked for of those that it should leave alone;
  // both go through as one batch, as no row depends on another.
  struct Made {
    Value pictures, same;
  };
  Made made(StepRecorder& r, const char* generator, Value pictures, Value same) const {
    if (!has_identity()) {
      return {r.run(generator, {pictures})[0], {}};
    }
    Program& p = r.program();
    const int batch = r.batch_size();
    const Value both = r.run(generator, {ops::concat_rows(p, pictures, same)})[0];
    return {ops::slice_rows(p, both, 0, batch), ops::slice_rows(p, both, batch, batch)};
  }

  void record_generators(StepRecorder& r) const {
    Program& p = r.program();
    const Value x = unpaired_.pictures(r, "g_sources", kGiven), y = unpaired_.pictures(r, "g_targets", kWanted);
    const Made there = made(r, kThere, x, y), back = made(r, kBack, y, x);
    const Value adversary = ops::add(p, unpaired_.adversary(r, kJudgeThere, there.pictures),
                                     unpaired_.adversary(r, kJudgeBack, back.pictures));
    const Value cycle = ops::add(p, mean_absolute_difference(p, r.run(kBack, {there.pictures})[0], x),
                                 mean_absolute_difference(p, r.run(kThere, {back.pictures})[0], y));
    r.metric("adversary", adversary);
    r.metric("cycle", cycle);
    Value loss = add_weighted(p, adversary, options_.loss.cycle, cycle);
    if (has_identity()) {
      const Value identity =
          ops::add(p, mean_absolute_difference(p, there.same, y), mean_absolute_difference(p, back.same, x));
      r.metric("identity", identity);
      loss = add_weighted(p, loss, options_.loss.cycle * options_.loss.identity, identity);
    }
    unpaired_.update_generators(r, loss, {kThere, kBack});
  }

  Options options_;
  Unpaired unpaired_;
};

}  // namespace

std::unique_ptr<Recipe> make_cyclegan(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<CycleGan>(options, fields, steps);
}

}  // namespace duel
