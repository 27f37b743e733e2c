// A recorded program as a list: what each node is, and what it reads, makes and changes.
#include "engine/program/listing.h"

#include "engine/ops/ops.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(Attributes, ArePrintedByNameAndValue) {
  const Attributes attributes = {{"flag", true}, {"count", -3},     {"seed", ~std::uint64_t{0}},    {"slope", 0.2F},
                                 {"rate", 1e-4}, {"kind", "hinge"}, {"pad", std::vector<int>{1, 2}}};
  EXPECT_EQ(to_string(attributes),
            "flag true, count -3, seed 18446744073709551615, slope 0.2, rate 0.0001, kind hinge, pad [1,2]");
  EXPECT_EQ(to_string(Attributes{}), "");
}

TEST(Listing, NamesStorageAndWhatIsChanged) {
  Program program;
  const Program::Scope scope(program, "phase");
  const Value step = program.bind("step", {1}, DType::i64);
  const Value w = program.bind("net/master", {6}, DType::f32), average = program.bind("net/average", {6}, DType::f32);
  const Value part = program.bind("net/master", {2, 3}, DType::f32, 8, "net/weight");
  const Value y = ops::affine(program, part, 0.1, 2.0);
  const Value flat = program.reshape(y, {6});
  const Value target = program.bind("target", {6}, DType::f32);
  ops::write_to(program, ops::add(program, flat, flat), target);
  ops::adam(program, {}, step, {}, flat, {w, w, average, {}});
  const std::vector<ListedNode> nodes = list_nodes(program);
  ASSERT_EQ(nodes.size(), 3U);

  EXPECT_EQ(nodes[0].op, "affine");
  EXPECT_EQ(to_string(nodes[0].attributes), "scale 0.1, shift 2");
  EXPECT_EQ(nodes[0].place, "phase");
  EXPECT_EQ(nodes[0].cost.bytes, 48);
  EXPECT_EQ(to_string(nodes[0].inputs[0]), "%3 f32[2,3] = net/master+8 (net/weight)");
  EXPECT_EQ(to_string(nodes[0].outputs[0]), "%4 f32[2,3]");

  EXPECT_EQ(to_string(nodes[1].inputs[0]), "%4 f32[6]");  // the array behind the reshape
  EXPECT_EQ(to_string(nodes[1].outputs[0]), "%7 f32[6] = target+0");
  EXPECT_TRUE(nodes[1].attributes.empty());

  EXPECT_EQ(nodes[2].number, 2);
  EXPECT_EQ(to_string(nodes[2].attributes),
            "learning_rate 0.0001, beta1 0.9, beta2 0.999, epsilon 1e-07, weight_decay 0");
  EXPECT_EQ(to_string(nodes[2].inputs[0]), "%0 i64[1] = step+0");
  EXPECT_EQ(to_string(nodes[2].inputs[1]), "none");  // the optional scale
  EXPECT_EQ(to_string(nodes[2].inputs[3]), "%1 f32[6] = net/master+0 changed");
  EXPECT_TRUE(nodes[2].outputs.empty());
}

}  // namespace
}  // namespace duel::test
