// The optimiser, and the state of a step: wrong calls of each.
#include "kernels/optimizer.h"
#include "kernels/step_state.h"
#include "tests/support/wrong_calls.h"

#include <limits>

namespace duel::test::refusals_training {

namespace {

std::vector<WrongCall> wrong_adams() {
  struct Arrays {
    View step = i64({1}), scale = {}, gradient = f32({7}), w = f32({7}), m = f32({7}), v = f32({7}), compute = {};
  };
  const auto call = [](const Arrays& a) {
    return [=](Context& context) { adam(context, {}, a.step, a.scale, a.gradient, {a.w, a.m, a.v, a.compute}); };
  };
  const auto with = [call](View Arrays::*which, View view) {
    Arrays arrays;
    arrays.*which = view;
    return call(arrays);
  };
  return {{"longer gradient", with(&Arrays::gradient, f32({8})), {"[8]", "[7]"}},
          {"gradient in bf16", with(&Arrays::gradient, bf16({7})), {"bf16[7]"}},
          {"shorter w", with(&Arrays::w, f32({5})), {"[7]", "[5]"}},
          {"longer m", with(&Arrays::m, f32({9})), {"[9]", "[7]"}},
          {"no m", with(&Arrays::m, kNone), {"[7]"}},
          {"v of another rank", with(&Arrays::v, f32({7, 1})), {"[7,1]", "[7]"}},
          {"compute in f32", with(&Arrays::compute, f32({7})), {"f32[7]"}},
          {"longer compute", with(&Arrays::compute, bf16({8})), {"bf16[8]", "[7]"}},
          {"two scales", with(&Arrays::scale, f32({2})), {"[2]"}},
          {"scale in bf16", with(&Arrays::scale, bf16({1})), {"bf16[1]"}},
          {"step of floats", with(&Arrays::step, f32({1})), {"f32[1]"}},
          {"no step", with(&Arrays::step, kNone), {}},
          {"no w", with(&Arrays::w, kNone), {}}};
}

std::vector<WrongCall> wrong_emas() {
  const auto call = [](View w, View average, View step = i64({1})) {
    return [=](Context& context) { ema(context, Schedule(0.9).with_burn_in(3), step, w, average); };
  };
  return {{"step of floats", call(f32({7}), f32({7}), f32({1})), {"f32[1]"}},
          {"no step", call(f32({7}), f32({7}), kNone), {}},
          {"shorter average", call(f32({7}), f32({5})), {"[5]", "[7]"}},
          {"average in bf16", call(f32({7}), bf16({7})), {"bf16[7]"}},
          {"w in bf16", call(bf16({7}), f32({7})), {"bf16[7]"}},
          {"no w", call(kNone, f32({7})), {}},
          {"no average", call(f32({7}), kNone), {"[7]"}}};
}

std::vector<WrongCall> wrong_norms() {
  const auto call = [](View gradient, View y) { return [=](Context& context) { global_norm(context, gradient, y); }; };
  return {{"two norms", call(f32({7}), f32({2})), {"[2]"}},
          {"norm in bf16", call(f32({7}), bf16({1})), {"bf16[1]"}},
          {"gradient in bf16", call(bf16({7}), f32({1})), {"bf16[7]"}},
          {"no gradient", call(kNone, f32({1})), {}},
          {"no norm", call(f32({7}), kNone), {}}};
}

std::vector<WrongCall> wrong_clips() {
  const auto call = [](double most, View norm, View y) {
    return [=](Context& context) { clip_scale(context, most, norm, y); };
  };
  return {
      {"two norms", call(1, f32({2}), f32({1})), {"[2]"}},
      {"two results", call(1, f32({1}), f32({2})), {"[2]"}},
      {"norm in bf16", call(1, bf16({1}), f32({1})), {"bf16[1]"}},
      {"no norm", call(1, kNone, f32({1})), {}},
      {"clipped to nothing", call(0, f32({1}), f32({1})), {"0"}},
      {"clipped to less than nothing", call(-2, f32({1}), f32({1})), {"-2"}},
      {"clipped to what is no number", call(std::numeric_limits<double>::quiet_NaN(), f32({1}), f32({1})), {"nan"}}};
}

std::vector<WrongCall> wrong_stores() {
  const auto call = [](int column, View scalar, View step, View ring) {
    return [=](Context& context) {
      const StoredScalar scalars[] = {{0, f32({1})}, {column, scalar}};
      store_scalars(context, scalars, step, ring);
    };
  };
  const auto many = [](std::size_t count) {
    return [=](Context& context) {
      store_scalars(context, std::vector<StoredScalar>(count, {0, f32({1})}), i64({1}), f32({7, 5}));
    };
  };
  return {{"column behind the last", call(5, f32({1}), i64({1}), f32({7, 5})), {"[7,5]", "5"}},
          {"column before the first", call(-1, f32({1}), i64({1}), f32({7, 5})), {"[7,5]", "-1"}},
          {"ring of rank 1", call(0, f32({1}), i64({1}), f32({7})), {"[7]"}},
          {"ring in bf16", call(0, f32({1}), i64({1}), bf16({7, 5})), {"bf16[7,5]"}},
          {"two scalars", call(0, f32({2}), i64({1}), f32({7, 5})), {"[2]"}},
          {"scalar in bf16", call(0, bf16({1}), i64({1}), f32({7, 5})), {"bf16[1]"}},
          {"step of floats", call(0, f32({1}), f32({1}), f32({7, 5})), {"f32[1]"}},
          {"no scalars", many(0), {"0 scalars"}},
          {"too many scalars", many(17), {"17 scalars"}},
          {"no ring", call(0, f32({1}), i64({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_advances() {
  const auto call = [](View step) { return [=](Context& context) { advance_counter(context, step); }; };
  return {{"step of floats", call(f32({1})), {"f32[1]"}},
          {"two steps", call(i64({2})), {"i64[2]"}},
          {"step of rank 2", call(i64({1, 1})), {"i64[1,1]"}},
          {"no step", call(kNone), {}}};
}

WrongCalls make() {
  return {{"adam", wrong_adams()},           {"ema", wrong_emas()},
          {"global_norm", wrong_norms()},    {"clip_scale", wrong_clips()},
          {"store_scalars", wrong_stores()}, {"advance_counter", wrong_advances()}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_training
