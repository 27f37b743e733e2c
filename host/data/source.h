// Rows of named fields, wherever they are kept: what a training reads. Row n of a "picture" and row n of a "label"
// belong together. Pairs (a photo and its mask) are one source with two pictures; pictures of two kinds without pairs
// are two sources.
#pragma once

#include "kernels/gather.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace duel {

enum class FieldKind : std::uint8_t { picture, mask, label, attributes, vector };

struct Field {
  std::string name;  // "picture", "label", "target"
  FieldKind kind = FieldKind::picture;
  Shape shape;                          // of a batch of one row: a picture [1,H,W,C] with C 1 to 4, a label [1]
  DType dtype = DType::u8;              // as stored: u8, i32 (labels) or f32
  RowScale scale = {};                  // from what is stored to what networks take; pictures: kPictureScale
  std::vector<std::string> names = {};  // of the classes that a label counts, or of the attributes

  std::size_t row_bytes() const { return View{nullptr, shape, dtype}.bytes(); }
};

Field picture_field(const std::string& name, int height, int width, int channels);
Field label_field(const std::string& name, std::vector<std::string> names);

class Source {
public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  virtual const std::string& name() const = 0;  // as given: "fashion-mnist", "synthetic", a folder
  virtual std::int64_t count() const = 0;       // rows: 1 to 2^31 - 1
  virtual const std::vector<Field>& fields() const = 0;
  // Which rows they are, for checkpoints: "60000 pictures of 28x28x1, crc32c 0123abcd". Known without reading rows.
  virtual const std::string& fingerprint() const = 0;
  // Writes row_bytes() of the field to `to`. Any thread may call it, several at once. Errors are of kind `data`.
  virtual void read(std::int64_t row, std::size_t field, std::byte* to) const = 0;
  // The source that the rows are of where this one only adds fields to them (input_source.h); otherwise itself.
  virtual const Source& base() const { return *this; }
};

// "main" alone, or several by the names that a recipe knows them by.
using Data = std::map<std::string, std::unique_ptr<const Source>>;

// The source of that name, and the place of a field among a source's. Throws kind `data` where there is none: what was
// asked for, and what there is instead.
const Source& source_named(const Data& data, const std::string& name);
std::size_t field_index(const Source& source, const std::string& name);
const Field& field_named(const Source& source, const std::string& name);
bool has_field(const Source& source, const std::string& name);

const Source& main_source(const Data& data);
std::string dataset_fingerprint(const Data& data);  // of "main" as it is; of others "a: ...; b: ..."
Shape picture_shape(const Source& source);          // [1,H,W,C] of the field "picture"

// Rows of each class of a label. Reads every row's label.
std::vector<std::int64_t> class_counts(const Source& source, const std::string& label);

// Throws kind `data` where a class has no row, so that nothing could be learnt of it.
void check_every_class_has_rows(const Source& source, const std::string& label);

}  // namespace duel
