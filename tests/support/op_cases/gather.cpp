// Cases of kernels/gather.h. That the batches of an epoch are a permutation is tested in kernels/gather_test.cpp.
#include "kernels/gather.h"

#include "tests/reference/gather.h"
#include "tests/support/op_case.h"

namespace duel::test::gather_cases {

namespace {

constexpr RowScale kOtherScale{3.5F, 0.25F};

Fill fill_of(DType stored) {
  switch (stored) {
    case DType::u8: return with_head({0, 255, 127, 128}, integers(0, 255));
    case DType::i32: return with_head({0, 9, -1, 2147483647, -2147483648.0}, integers(-1000, 1000));
    default: return normal();
  }
}

// Bytes of floats that are numbers of usual size, whatever else they may stand for.
Fill bytes_of_floats() {
  return [](std::mt19937_64& generator, Array& bytes) {
    Array floats(bytes.size() / 4);
    normal()(generator, floats);
    const std::vector<std::byte> stored = to_bytes(floats, DType::f32);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      bytes[i] = static_cast<double>(stored[i]);
    }
  };
}

std::string name_of(const RowScale& scale) {
  return scale == kPictureScale ? "" : scale == RowScale{} ? "_unscaled" : "_scaled";
}

OpCase gather_case(const GatherRows& p, DType stored, const Shape& rows, int batch, std::int64_t step, DType dtype) {
  const Random& order = p.order;
  return {.op = "gather_rows",
          .name = fmt::format("{}_{}_batch{}_seed{:x}_purpose{}_step{}_{}{}", name_of(stored), name_of_extents(rows),
                              batch, order.seed, static_cast<std::uint32_t>(order.purpose), step, name_of(dtype),
                              name_of(p.scale)),
          .inputs = {{"rows", rows, stored, fill_of(stored)},
                     {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = rows.with_rows(batch), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { gather_rows(context, p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::gather_rows(p, stored, rows, in[0], static_cast<std::uint64_t>(in[1][0]), batch);
              }};
}

OpCase load_case(const LoadRows& p, const Shape& ring, const Shape& y, std::int64_t step, DType dtype) {
  return {.op = "load_rows",
          .name = fmt::format("{}_ring{}_offset{}_{}_step{}_{}{}", name_of(p.dtype), name_of_extents(ring), p.offset,
                              name_of_extents(y), step, name_of(dtype), name_of(p.scale)),
          .inputs = {{"ring", ring, DType::u8, p.dtype == DType::f32 ? bytes_of_floats() : fill_of(DType::u8)},
                     {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = y, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { load_rows(context, p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::load_rows(p, ring, in[0], static_cast<std::int64_t>(in[1][0]), y);
              }};
}

constexpr std::int64_t kFarSteps[] = {(std::int64_t{1} << 32) - 1, std::int64_t{1} << 32, (std::int64_t{5} << 40) + 3};

void add_picture_gathers(std::vector<OpCase>& cases, DType dtype) {
  const GatherRows reals{{1, Purpose::d_reals}, kPictureScale};
  const Shape shapes[] = {{1, 1, 1, 1},  {5, 3, 5, 1},  {33, 1, 1, 3},   {7, 1, 5, 3},    {5, 4, 4, 1},   {5, 1, 17, 1},
                          {5, 31, 1, 1}, {7, 1, 33, 1}, {9, 10, 10, 10}, {5, 4099, 1, 1}, {33, 28, 28, 1}};
  for (const Shape& shape : shapes) {
    for (const int batch : {1, shape[0] / 2 + 1, shape[0]}) {
      for (const std::int64_t step : {0, 1, 7}) {  // in the first epoch and in later ones
        if (batch != 1 || step == 0) {
          cases.push_back(gather_case(reals, DType::u8, shape, batch, step, dtype));
        }
      }
      if (shape[0] == 1) {
        break;
      }
    }
  }
  for (const std::int64_t step : kFarSteps) {
    cases.push_back(gather_case(reals, DType::u8, {33, 3, 5, 3}, 5, step, dtype));
  }
  for (const Random& order : {Random{1, Purpose::g_reals}, Random{0x123456789ABCDEF0U, Purpose::d_reals},
                              Random{0x1000000000000000U, Purpose::d_reals}}) {
    cases.push_back(gather_case({order, kPictureScale}, DType::u8, {33, 3, 5, 3}, 5, 9, dtype));
  }
  cases.push_back(gather_case({reals.order, kOtherScale}, DType::u8, {7, 3, 5, 4}, 5, 9, dtype));
  cases.push_back(unaligned(gather_case(reals, DType::u8, {5, 28, 28, 1}, 3, 1, dtype)));
  cases.push_back(gather_case(reals, DType::u8, {5, 64, 64, 3}, 3, 1, dtype));  // more than one block a picture
  cases.push_back(gather_case(reals, DType::u8, {60000, 28, 28, 1}, 64, 1000, dtype));
  cases.back().name = fmt::format("classic_{}", name_of(dtype));
  cases.back().tags = {"perf"};
}

void add_picture_loads(std::vector<OpCase>& cases, DType dtype) {
  const auto pictures = [](std::int64_t offset) { return LoadRows{DType::u8, offset, kPictureScale}; };
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{7},
                                  (std::int64_t{1} << 32) - 1, (std::int64_t{5} << 40) + 4}) {
    cases.push_back(load_case(pictures(256), {3, 512}, {5, 3, 5, 3}, step, dtype));
    cases.push_back(load_case(pictures(0), {1, 128}, {3, 7, 5, 1}, step, dtype));  // one slot
  }
  cases.push_back(load_case(pictures(0), {7, 64}, {1, 1, 1, 1}, 12, dtype));
  cases.push_back(load_case(pictures(64), {7, 192}, {3, 33, 1, 1}, 9, dtype));
  cases.push_back(load_case(pictures(64), {2, 192}, {2, 64, 1, 1}, 1, dtype));  // up to the end of the ring
  cases.push_back(unaligned(load_case(pictures(2368), {2, 4736}, {3, 28, 28, 1}, 1, dtype)));
  cases.push_back(load_case(pictures(12288), {2, 24576}, {1, 64, 64, 3}, 1, dtype));  // more than one block a picture
  cases.push_back(load_case({DType::u8, 64, kOtherScale}, {3, 256}, {3, 5, 3, 4}, 4, dtype));
  cases.push_back(load_case(pictures(50176), {4, 100352}, {64, 28, 28, 1}, 1001, dtype));
  cases.back().name = fmt::format("steady_{}", name_of(dtype));
  cases.back().tags = {"perf"};
}

void add_vectors(std::vector<OpCase>& cases, DType dtype) {
  const Random order{1, Purpose::d_reals};
  for (const RowScale& scale : {RowScale{}, kOtherScale}) {
    for (const int length : {1, 3, 4, 7, 33, 40}) {
      cases.push_back(gather_case({order, scale}, DType::f32, {7, length}, 5, 3, dtype));
      cases.push_back(load_case({DType::f32, 64, scale}, {3, 1024}, {5, length}, 4, dtype));
    }
    cases.push_back(unaligned(gather_case({order, scale}, DType::f32, {7, 8}, 5, 3, dtype)));
  }
}

// One number a row, and several.
void add_labels(std::vector<OpCase>& cases) {
  const Random order{1, Purpose::d_reals};
  for (const Shape& shape : {Shape{1}, Shape{5}, Shape{33}, Shape{7, 3}, Shape{9, 40}}) {
    for (const std::int64_t step : {0, 7}) {
      const int batch = shape[0] / 2 + 1;
      cases.push_back(gather_case({order, kPictureScale}, DType::i32, shape, batch, step, DType::i32));
      cases.push_back(load_case({DType::i32, 128, kPictureScale}, {3, 1024}, shape.with_rows(batch), step, DType::i32));
    }
  }
  for (const std::int64_t step : kFarSteps) {
    cases.push_back(gather_case({order}, DType::i32, {33}, 5, step, DType::i32));
  }
  cases.push_back(unaligned(gather_case({order}, DType::i32, {33}, 5, 3, DType::i32)));
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    add_picture_gathers(cases, dtype);
    add_picture_loads(cases, dtype);
    add_vectors(cases, dtype);
  }
  add_labels(cases);
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::gather_cases
