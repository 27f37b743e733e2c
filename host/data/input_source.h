// The rows of a source with one more picture each, "input": what a network is given to make "picture" of.
#pragma once

#include "host/data/source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace duel {

inline constexpr const char* kInputField = "input";

class InputSource : public Source {
public:
  const std::string& name() const override { return truth_->name(); }
  std::int64_t count() const override { return truth_->count(); }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;
  const Source& base() const override { return truth_->base(); }

  // The same of other rows, whose pictures are of the same form: of those that are held out.
  virtual std::unique_ptr<const Source> over(std::unique_ptr<const Source> truth) const = 0;

protected:
  explicit InputSource(std::unique_ptr<const Source> truth);
  void add_field(const Field& field) { fields_.push_back(field); }
  void describe(const std::string& input) { fingerprint_ = truth_->fingerprint() + "; " + input; }
  const Source& truth() const { return *truth_; }
  // Of an added field, counted from those of the truth on.
  virtual void read_added(std::int64_t row, std::size_t added, std::byte* to) const = 0;

private:
  std::unique_ptr<const Source> truth_;
  std::vector<Field> fields_;
  std::string fingerprint_;
};

}  // namespace duel
