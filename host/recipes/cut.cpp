#include "host/recipes/cut.h"

#include "engine/nn/patch_contrast.h"
#include "engine/ops/ops.h"
#include "host/recipes/networks.h"
#include "host/recipes/unpaired.h"
#include "host/recipes/unpaired_networks.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr const char* kProjector = "projector";

class Cut : public Recipe {
public:
  Cut(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options), unpaired_(options, fields, steps, "cut") {
    make_networks();
  }

  std::string name() const override { return "cut"; }

  std::vector<NamedNetwork> make_networks() const override {
    const Field& picture = unpaired_.picture();
    std::vector<NamedNetwork> networks;
    networks.push_back({make_translator(kGenerator, options_.model, picture), true, true});
    networks.push_back({make_projector(kProjector, options_.model, picture), false, true});
    networks.push_back({make_patch_judge(kDiscriminator, options_.model, picture), false, true});
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"d_main", {kDiscriminator}, [this](StepRecorder& r) { record_discriminator(r); }},
            {"g_main", {kGenerator, kProjector}, [this](StepRecorder& r) { record_generator(r); }}};
  }

  std::vector<DrawnField> batches() const override {
    std::vector<DrawnField> batches = {
        {"d_sources", kGiven, "picture"}, {"d_targets", kWanted, "picture"}, {"g_sources", kGiven, "picture"}};
    if (has_identity()) {
      batches.push_back({"g_targets", kWanted, "picture"});
    }
    return batches;
  }

  std::vector<std::string> metrics() const override {
    std::vector<std::string> names = {"d_loss", "g_loss"};
    for (const std::string& name : unpaired_.discriminator_metrics()) {
      names.push_back(name);
    }
    names.insert(names.end(), {"g_grad_norm", "adversary", "contrast"});
    if (has_identity()) {
      names.emplace_back("identity");
    }
    return names;
  }

  Sampling sampling() const override { return unpaired_.sampling(kGenerator); }
  std::optional<Sampling> translation() const override { return sampling(); }

private:
  bool has_identity() const { return options_.loss.identity > 0; }

  void record_discriminator(StepRecorder& r) const {
    const Value given = unpaired_.pictures(r, "d_sources", kGiven);
    const Value real = unpaired_.pictures(r, "d_targets", kWanted);
    unpaired_.update_discriminators(r, {{kDiscriminator, real, r.run(kGenerator, {given})[0]}});
  }

  // What each picture loses by its places: f32 [N]. given, made: what the generator makes of pictures, and of those.
  Value contrasts(StepRecorder& r, const std::vector<Value>& given, const std::vector<Value>& made) const {
    Program& p = r.program();
    const int pictures = p.shape(given[0])[0];
    std::vector<PlaceCells> cells;
    std::vector<Value> keys, queries;
    for (std::size_t map = 1; map < given.size(); ++map) {
      const Shape& shape = p.shape(given[map]);
      const PlaceCells its = cells_of(options_.loss.places, shape[1], shape[2]);
      const Value uniform = r.uniform(fmt::format("places{}", map), {pictures, its.rows, its.columns, 2});
      const Value places = places_in_cells(p, its, uniform);
      keys.push_back(features_at(p, given[map], places));
      queries.push_back(features_at(p, made[map], places));
      cells.push_back(its);
    }
    const std::vector<Value> key_rows = r.run(kProjector, keys), query_rows = r.run(kProjector, queries);
    Value sum;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const int count = cells[i].count();
      const Value losses =
          contrast_losses(p, query_rows[i], ops::stop_gradient(p, key_rows[i]), count, options_.loss.temperature);
      const float share = 1.0F / static_cast<float>(static_cast<std::size_t>(count) * cells.size());
      const Value each = ops::reduce_sum(p, {Axes::each_row, share}, p.reshape(losses, {pictures, count}));
      sum = add_weighted(p, sum, 1, each);
    }
    return sum;
  }

  // Both kinds of pictures go through as one batch: no row of the generator depends on another.
  void record_generator(StepRecorder& r) const {
    Program& p = r.program();
    const int batch = r.batch_size();
    Value given = unpaired_.pictures(r, "g_sources", kGiven);
    if (has_identity()) {
      given = ops::concat_rows(p, given, unpaired_.pictures(r, "g_targets", kWanted));
    }
    const std::vector<Value> made = r.run(kGenerator, {given});
    const Value losses = contrasts(r, made, r.run(kGenerator, {made[0]}));
    const auto part = [&](Value rows, int begin) {
      return has_identity() ? ops::slice_rows(p, rows, begin, batch) : rows;
    };
    const Value adversary = unpaired_.adversary(r, kDiscriminator, part(made[0], 0));
    const Value contrast = ops::mean(p, part(losses, 0));
    r.metric("adversary", adversary);
    r.metric("contrast", contrast);
    Value loss = add_weighted(p, adversary, options_.loss.contrast, contrast);
    if (has_identity()) {
      const Value identity = ops::mean(p, part(losses, batch));
      r.metric("identity", identity);
      loss = add_weighted(p, loss, options_.loss.contrast * options_.loss.identity, identity);
    }
    unpaired_.update_generators(r, loss, {kGenerator});
  }

  Options options_;
  Unpaired unpaired_;
};

}  // namespace

std::unique_ptr<Recipe> make_cut(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Cut>(options, fields, steps);
}

}  // namespace duel
