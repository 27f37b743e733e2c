#include "kernels/tensor.h"

#include "kernels/check.h"

namespace duel {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return 4;
    case DType::bf16: return 2;
    case DType::u8: return 1;
    case DType::i32: return 4;
    case DType::i64: return 8;
  }
  throw Error(Error::Kind::internal, "size_of: unknown element type");
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::u8: return "u8";
    case DType::i32: return "i32";
    case DType::i64: return "i64";
  }
  throw Error(Error::Kind::internal, "name_of: unknown element type");
}

Shape::Shape(std::initializer_list<int> extents) {
  check(extents.size() >= 1 && extents.size() <= kMaxRank, "a shape has 1 to {} extents, not {}", kMaxRank,
        extents.size());
  for (const int extent : extents) {
    check(extent > 0, "an extent must be positive, not {}", extent);
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }
}

std::int64_t Shape::count() const {
  std::int64_t count = rank_ == 0 ? 0 : 1;
  for (const int extent : *this) {
    count *= extent;
  }
  return count;
}

std::int64_t Shape::row_count() const {
  return count() / extents_[0];
}

std::int64_t Shape::outer_count() const {
  return count() / back();
}

Shape Shape::with_rows(int rows) const {
  Shape result = *this;
  result.extents_[0] = rows;
  return result;
}

Shape Shape::with_columns(int columns) const {
  Shape result = *this;
  result.extents_[static_cast<std::size_t>(rank_ - 1)] = columns;
  return result;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const int extent : shape) {
    text.append(text.size() > 1 ? "," : "").append(std::to_string(extent));
  }
  return text.append("]");
}

std::string to_string(const View& view) {
  return name_of(view.dtype) + to_string(view.shape);
}

}  // namespace duel
