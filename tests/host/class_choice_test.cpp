// Which classes a person asks for.
#include "host/sample/class_choice.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

using Shares = std::vector<std::vector<float>>;

const std::vector<std::string> kClassNames = {"T-shirt/top", "Bag", "Ankle boot", "Hats, caps"};

Shares shares_of(const ClassRequest& request) {
  return class_shares(request, kClassNames, "run");
}

TEST(ClassChoice, NamesAreTakenInTurn) {
  EXPECT_EQ(shares_of({{"bag"}, ""}), (Shares{{0, 1, 0, 0}}));
  EXPECT_EQ(shares_of({{"ankle BOOT, t-shirt/TOP"}, ""}), (Shares{{0, 0, 1, 0}, {1, 0, 0, 0}}));
  EXPECT_EQ(shares_of({{"Bag", "Hats, caps"}, ""}), (Shares{{0, 1, 0, 0}, {0, 0, 0, 1}}));
  EXPECT_EQ(shares_of({}), (Shares{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}));
}

TEST(ClassChoice, AMixHasShares) {
  EXPECT_EQ(shares_of({{}, "bag:0.25, Ankle boot:0.75"}), (Shares{{0, 0.25F, 0.75F, 0}}));
  EXPECT_EQ(shares_of({{}, "bag:1"}), (Shares{{0, 1, 0, 0}}));
}

TEST(ClassChoice, WhatCannotBeMeantIsRefused) {
  const auto refused = [](const ClassRequest& request, const std::string& message) {
    EXPECT_ERROR(shares_of(request), Error::Kind::usage, message);
  };
  refused({{"bagg"}, ""},
          "--class bagg: run has no such class (there are T-shirt/top, Bag, Ankle boot, Hats, caps); "
          "did you mean Bag?");
  refused({{"sofa"}, ""}, "run has no such class (there are");
  refused({{""}, ""}, "--class \"\": run has no such class");
  refused({{"bag,Bag"}, ""}, "--class: names Bag twice");
  refused({{"bag", "bag"}, ""}, "--class: names Bag twice");
  refused({{}, "bag:0.5,bag:0.5"}, "--class-mix: names Bag twice");
  refused({{}, "bag:0.5"}, "--class-mix bag:0.5: the shares make 0.5, but must make 1");
  for (const char* mix : {"bag", "bag:", "bag:x", "bag:-1", "bag:nan", "bag:1,", ":1x"}) {
    refused({{}, mix}, "must be classes and their shares from 0 to 1");
  }
  EXPECT_ERROR(class_shares({{"bag"}, ""}, {}, "run"), Error::Kind::usage,
               "run: it was trained without classes, so --class means nothing there");
}

TEST(ClassChoice, SheetsTakeClassesByRow) {
  EXPECT_EQ(classes_by_row(3, 2, 2), (std::vector<int>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(one_hot(std::vector<int>{1, 0}, 2), (std::vector<float>{0, 1, 1, 0}));
}

}  // namespace
}  // namespace duel::test
