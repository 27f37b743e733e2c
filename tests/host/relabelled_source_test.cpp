// Rows in the words of a network that was trained on others.
#include "host/data/relabelled_source.h"

#include "host/data/memory_source.h"
#include "kernels/check.h"
#include "tests/support/source_rows.h"

#include <gtest/gtest.h>

#include <array>

namespace duel::test {
namespace {

constexpr std::array<std::int32_t, 4> kLabels = {0, 1, 2, 0};
constexpr std::array<float, 8> kTags = {1, 0, -1, 1, 0, 0, 1, -1};

Field attributes(std::vector<std::string> names) {
  return {"attributes", FieldKind::attributes, {1, static_cast<int>(names.size())}, DType::f32, {}, std::move(names)};
}

MemorySource rows() {
  return {"rows",
          {{label_field("label", {"boot", "sandal", "shirt"}), bytes_of(kLabels)},
           {attributes({"red", "wide"}), bytes_of(kTags)}}};
}

TEST(RelabelledSource, ClassesAreFoundByTheirNames) {
  const MemorySource source = rows();
  const RelabelledSource found(source, {label_field("label", {"dress", "shirt", "boot"})});
  EXPECT_EQ(read_field<std::int32_t>(found, "label"), (std::vector<std::int32_t>{2, 1, 2}));
  EXPECT_EQ(found.left_out(), (std::map<std::string, std::int64_t>{{"sandal", 1}}));
  EXPECT_THROW(RelabelledSource(source, {label_field("label", {"dress", "hat"})}), Error);
}

TEST(RelabelledSource, AttributesThatAreMissingAreUnknown) {
  const MemorySource source = rows();
  const RelabelledSource found(source, {attributes({"wide", "striped"})});
  EXPECT_EQ(read_field<float>(found, "attributes"), (std::vector<float>{0, -1, 1, -1, 0, -1, -1, -1}));
  EXPECT_EQ(found.missing(), std::vector<std::string>{"striped"});
  EXPECT_EQ(found.unread(), std::vector<std::string>{"red"});
  EXPECT_THROW(RelabelledSource(source, {attributes({"striped"})}), Error);
}

}  // namespace
}  // namespace duel::test
