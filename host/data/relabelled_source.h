// The rows of a source in the words of a network that was trained on another one: classes and attributes are found by
// their names. So a classifier can be judged on any folder that calls things as its own data did.
#pragma once

#include "host/data/source.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace duel {

// Of the fields "label" and "attributes" those that are given take the given names. Rows whose class is not among them
// are left out; attributes that the source does not know are unknown (-1) in every row, and its others are not read.
class RelabelledSource : public Source {
public:
  // `fields`: of the network, among them what the source is to have. The source outlives this. Throws kind `data` where
  // it lacks one of the fields, or where no row and no name is left.
  RelabelledSource(const Source& source, const std::vector<Field>& fields);

  const std::string& name() const override { return source_.name(); }
  std::int64_t count() const override { return static_cast<std::int64_t>(rows_.size()); }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;

  // How many rows of each class were left out, by its name; attributes that are not read, and those that are missing.
  const std::map<std::string, std::int64_t>& left_out() const { return left_out_; }
  const std::vector<std::string>& unread() const { return unread_; }
  const std::vector<std::string>& missing() const { return missing_; }

private:
  void match_classes(std::size_t field);
  void match_attributes(std::size_t field);

  const Source& source_;
  std::vector<Field> fields_;
  std::vector<std::size_t> places_;      // of each field, among the source's
  std::vector<std::vector<int>> names_;  // of each field: of a label, of each class of the source its place here;
                                         // of attributes, of each one here its place there; -1 where there is none
  std::vector<std::int64_t> rows_;
  std::string fingerprint_;
  std::map<std::string, std::int64_t> left_out_;
  std::vector<std::string> unread_, missing_;
};

}  // namespace duel
