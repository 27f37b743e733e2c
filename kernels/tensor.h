// What every operator computes on: a contiguous array of known type and shape, somewhere on a device.
//
// A View owns nothing. Layout is row-major with the last extent fastest; pictures are N H W C, filters K R S C
// (the letters are explained in kernels/README.md). A View without data (`data == nullptr`) describes an array
// that does not exist yet; shapes are checked and primitives are prepared on such views.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace duel {

enum class DType : std::uint8_t { f32, bf16, u8, i32, i64 };

std::size_t size_of(DType dtype);  // bytes of one element
const char* name_of(DType dtype);  // "f32", "bf16", "u8", "i32", "i64"

// Extents of an array, at most four of them. A scalar is [1].
class Shape {
public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int> extents);

  int rank() const { return rank_; }
  int operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  int back() const { return extents_[static_cast<std::size_t>(rank_ - 1)]; }
  const int* begin() const { return extents_.data(); }
  const int* end() const { return extents_.data() + rank_; }

  std::int64_t count() const;             // number of elements
  std::int64_t row_count() const;         // elements of one row, that is of everything behind the first extent
  std::int64_t outer_count() const;       // product of all extents but the last: the rows of a bias or a matrix product
  Shape with_rows(int rows) const;        // the same, with another first extent
  Shape with_columns(int columns) const;  // the same, with another last extent

  bool operator==(const Shape&) const = default;

private:
  std::array<int, kMaxRank> extents_{};
  int rank_ = 0;
};

std::string to_string(const Shape& shape);  // "[64,28,28,1]"

struct View {
  void* data = nullptr;
  Shape shape;
  DType dtype = DType::f32;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  std::int64_t count() const { return shape.count(); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype); }
};

std::string to_string(const View& view);  // "f32[64,28,28,1]"

}  // namespace duel

// So that checks can name shapes without building text until one fails.
template <>
struct fmt::formatter<duel::Shape> : fmt::formatter<std::string> {
  auto format(const duel::Shape& shape, format_context& out) const {
    return formatter<std::string>::format(to_string(shape), out);
  }
};
template <>
struct fmt::formatter<duel::View> : fmt::formatter<std::string> {
  auto format(const duel::View& view, format_context& out) const {
    return formatter<std::string>::format(to_string(view), out);
  }
};
