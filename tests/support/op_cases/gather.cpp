// Cases of kernels/gather.h. That the batches of an epoch are a permutation is tested in kernels/gather_test.cpp.
#include "kernels/gather.h"

#include "tests/reference/gather.h"
#include "tests/support/op_case.h"

namespace duel::test {

namespace {

OpCase gather_case(const Random& order, const Shape& pictures, int batch, std::int64_t step, DType dtype) {
  return {.op = "gather_pictures",
          .name = fmt::format("{}_batch{}_seed{:x}_purpose{}_step{}_{}", name_of_extents(pictures), batch, order.seed,
                              static_cast<int>(order.purpose), step, name_of(dtype)),
          .inputs = {{"pictures", pictures, DType::u8, with_head({0, 255, 127, 128}, integers(0, 255))},
                     {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = pictures.with_rows(batch), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { gather_pictures(context, order, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] =
                    reference::gather_pictures(order, pictures, in[0], static_cast<std::uint64_t>(in[1][0]), batch);
              }};
}

OpCase load_case(const PictureSlot& slot, const Shape& ring, int batch, std::int64_t step, DType dtype) {
  return {.op = "load_pictures",
          .name = fmt::format("{}_slot{}_first{}_batch{}_step{}_{}", name_of_extents(ring), slot.rows, slot.first,
                              batch, step, name_of(dtype)),
          .inputs = {{"ring", ring, DType::u8, with_head({0, 255, 127, 128}, integers(0, 255))},
                     {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = ring.with_rows(batch), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { load_pictures(context, slot, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::load_pictures(slot, ring, in[0], static_cast<std::int64_t>(in[1][0]), batch);
              }};
}

void add_load_cases(std::vector<OpCase>& cases, DType dtype) {
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{7},
                                  (std::int64_t{1} << 32) - 1, (std::int64_t{5} << 40) + 4}) {
    cases.push_back(load_case({10, 5}, {30, 3, 5, 3}, 5, step, dtype));
    cases.push_back(load_case({3, 0}, {3, 7, 5, 1}, 3, step, dtype));  // one slot
  }
  cases.push_back(load_case({1, 0}, {7, 1, 1, 1}, 1, 12, dtype));
  cases.push_back(load_case({5, 1}, {35, 33, 1, 1}, 3, 9, dtype));
  cases.push_back(unaligned(load_case({6, 3}, {12, 28, 28, 1}, 3, 1, dtype)));
  cases.push_back(load_case({2, 1}, {4, 64, 64, 3}, 1, 1, dtype));  // more than one block a picture
  cases.push_back(load_case({128, 64}, {512, 28, 28, 1}, 64, 1001, dtype));
  cases.back().name = fmt::format("steady_{}", name_of(dtype));
  cases.back().tags = {"perf"};
}

std::vector<OpCase> make_cases() {
  const Random reals{1, Purpose::d_reals};
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Shape shapes[] = {{1, 1, 1, 1},    {5, 3, 5, 1},    {33, 1, 1, 3},  {7, 1, 5, 3},
                            {5, 4, 4, 1},    {5, 1, 17, 1},   {5, 31, 1, 1},  {7, 1, 33, 1},
                            {9, 10, 10, 10}, {5, 4099, 1, 1}, {33, 28, 28, 1}};
    for (const Shape& shape : shapes) {
      for (const int batch : {1, shape[0] / 2 + 1, shape[0]}) {
        for (const std::int64_t step : {0, 1, 7}) {  // in the first epoch and in later ones
          if (batch != 1 || step == 0) {
            cases.push_back(gather_case(reals, shape, batch, step, dtype));
          }
        }
        if (shape[0] == 1) {
          break;
        }
      }
    }
    for (const std::int64_t step : {(std::int64_t{1} << 32) - 1, std::int64_t{1} << 32, (std::int64_t{5} << 40) + 3}) {
      cases.push_back(gather_case(reals, {33, 3, 5, 3}, 5, step, dtype));
    }
    cases.push_back(gather_case({1, Purpose::g_reals}, {33, 3, 5, 3}, 5, 9, dtype));
    cases.push_back(gather_case({0x123456789ABCDEF0U, Purpose::d_reals}, {33, 3, 5, 3}, 5, 9, dtype));
    cases.push_back(gather_case({0x1000000000000000U, Purpose::d_reals}, {33, 3, 5, 3}, 5, 9, dtype));
    cases.push_back(unaligned(gather_case(reals, {5, 28, 28, 1}, 3, 1, dtype)));
    cases.push_back(gather_case(reals, {5, 64, 64, 3}, 3, 1, dtype));  // more than one block a picture
    cases.push_back(gather_case(reals, {60000, 28, 28, 1}, 64, 1000, dtype));
    cases.back().name = fmt::format("classic_{}", name_of(dtype));
    cases.back().tags = {"perf"};
    add_load_cases(cases, dtype);
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test
