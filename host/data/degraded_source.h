// Pictures with what a degradation makes of each (host/pictures/degrade.h), made when it is read: nothing is stored,
// and a row has the same input in every run. Where pixels are missing there is also a field "known": 1 where a pixel is
// known, else 0, of the extents that a training crops to. A training draws it by itself, so that a picture meets
// another row's each time. Of several degradations a row's "input" is spoilt by one of them, and the label
// "job" is which, by their words; and as a training draws these too, there is "input_jpeg" and the like of each that it
// does not make by itself.
#pragma once

#include "host/config/degradation.h"
#include "host/data/input_source.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

inline constexpr const char* kKnownField = "known";
inline constexpr const char* kJobField = "job";

std::string input_field_of(const Degradation& job);  // "input_jpeg"

// What such a source adds to pictures [1,H,W,C]. `crop`: the side of what is trained on; 0: whole pictures. Throws kind
// `usage` where the pictures cannot be spoilt so, or a crop not: one that is not larger than the hole.
std::vector<Field> degraded_fields(const Degradation& degradation, const Shape& picture, int crop);

class DegradedSource : public InputSource {
public:
  // Throws as degraded_fields() does.
  DegradedSource(std::unique_ptr<const Source> truth, const Degradation& degradation, int crop);

  std::unique_ptr<const Source> over(std::unique_ptr<const Source> truth) const override;

private:
  void read_added(std::int64_t row, std::size_t added, std::byte* to) const override;

  std::vector<std::uint8_t> bytes_of(const std::string& field, std::uint64_t row) const;

  Degradation degradation_;
  int crop_;
  std::size_t picture_;  // the truth's field
};

}  // namespace duel
