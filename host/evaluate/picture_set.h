// Pictures that are measured, in an order, read in batches: rows of a source, or what a generator draws.
#pragma once

#include "host/data/source.h"

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

class PictureSet {
public:
  PictureSet() = default;
  PictureSet(const PictureSet&) = delete;
  PictureSet& operator=(const PictureSet&) = delete;
  virtual ~PictureSet() = default;

  virtual std::int64_t count() const = 0;
  // Pictures first..first+count-1, [count,H,W,C], whatever was read before.
  virtual void read(std::int64_t first, std::int64_t count, std::span<std::uint8_t> to) = 0;
  virtual int label(std::int64_t i) const = 0;  // of the data's classes; -1 where it has none
};

struct SourceRow {
  const Source* source = nullptr;
  std::int64_t row = 0;
  int label = -1;
};

// All rows of a source in order, by the field "label" where there is one.
std::vector<SourceRow> rows_of(const Source& source);

class SourcePictures : public PictureSet {
public:
  explicit SourcePictures(std::vector<SourceRow> rows) : rows_(std::move(rows)) {}  // the sources outlive this

  std::int64_t count() const override { return std::ssize(rows_); }
  void read(std::int64_t first, std::int64_t count, std::span<std::uint8_t> to) override;
  int label(std::int64_t i) const override { return rows_[static_cast<std::size_t>(i)].label; }

private:
  std::vector<SourceRow> rows_;
};

}  // namespace duel
