// Presets as data: those that are built in, and files of one's own.
#include "host/config/presets.h"

#include "host/config/configuration.h"
#include "host/config/option_changes.h"
#include "host/config/option_keys.h"
#include "host/config/preset_files.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace duel::test {
namespace {

TEST(Presets, EachSaysWhatItIs) {
  const std::vector<std::string_view> names = preset_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"classic", "conv-steady", "dcgan", "sagan", "steady"}) {
    EXPECT_TRUE(std::binary_search(names.begin(), names.end(), name)) << name;
  }
  for (const PresetFile& file : preset_files()) {
    EXPECT_GT(preset_description(file.text).size(), 20U) << file.name;
    EXPECT_EQ(preset(file.name).preset, file.name);
  }
  EXPECT_EQ(preset_description("# A line,\n#  and another.\n\n# Not this one.\nseed = 1\n"), "A line, and another.");
  EXPECT_EQ(preset_description("seed = 1 # no\n"), "");
  EXPECT_EQ(preset_description("# all"), "all");
}

TEST(Presets, AFileNamesWhatItChanges) {
  const TemporaryFolder folder;
  const std::string file = (folder / "shoes.toml").string();
  write_file(file, "# Shoes.\npreset = 'classic'\n[data]\nsource = 'pictures'\n[train]\nbatch = 8\n");
  std::filesystem::create_directory(folder / "pictures");
  const Options options = resolve_options(file, "", {parse_setting("seed=3")});
  EXPECT_EQ(
      shown(option_changes(preset("classic"), options)),
      "seed 0 -> 3, data.source \"fashion-mnist\" -> \"" + (folder / "pictures").string() + "\", train.batch 64 -> 8");
  write_file(folder / "more.toml", "preset = 'steady'\n[train]\nepochs = 7\n");
  const Options both = resolve_options(file, (folder / "more.toml").string(), {});
  EXPECT_EQ(both.preset, "classic");
  EXPECT_EQ(both.train.batch, 8);
  EXPECT_EQ(both.train.epochs, 7);
  write_file(file, "");
  EXPECT_EQ(shown(option_changes(preset("conv-steady"), resolve_options(file, "", {}))), "");
}

TEST(Presets, AWrongFileIsRefused) {
  const TemporaryFolder folder;
  const std::string file = (folder / "shoes.toml").string();
  const auto refused_with = [&](const std::string& text, const std::string& message) {
    write_file(file, text);
    EXPECT_ERROR(resolve_options(file, "", {}), Error::Kind::usage, file + message);
  };
  refused_with("[train]\nbach = 8\n", ":2:1: unknown key train.bach; did you mean train.batch?");
  const std::string known = allowed_values(*find_option_key("preset"));
  refused_with("preset = 'stedy'\n", ":1:10: preset = \"stedy\" must be " + known);
  refused_with("[train\n", ":1:");
  EXPECT_ERROR(resolve_options((folder / "no.toml").string(), "", {}), Error::Kind::usage,
               "no.toml: the configuration cannot be read: No such file or directory");
  EXPECT_ERROR(resolve_options("stedy", "", {}), Error::Kind::usage,
               "--preset \"stedy\": must be " + known + ", or a file NAME.toml");
}

}  // namespace
}  // namespace duel::test
