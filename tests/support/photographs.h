// Folders of small pictures, and a place of their own for what is decoded of them.
#pragma once

#include "host/config/options.h"
#include "host/pictures/png.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>  // setenv

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace duel::test {

// A disc on a ground; `seed` says where and in which colours. No two seeds below 100 look alike.
inline Picture drawn_picture(int seed, int height = 24, int width = 20, int channels = 3) {
  Picture picture{height, width, channels, {}};
  const int centre_y = height * (2 + seed % 5) / 8, centre_x = width * (2 + seed / 5 % 5) / 8;
  const int radius = height * (2 + seed / 25 % 4) / 12;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool is_in = (y - centre_y) * (y - centre_y) + (x - centre_x) * (x - centre_x) < radius * radius;
      for (int c = 0; c < channels; ++c) {
        picture.pixels.push_back(static_cast<std::uint8_t>(is_in ? 20 + 60 * c : 250 - (seed * 7 + 90 * c) % 100));
      }
    }
  }
  return picture;
}

// Tests of folders: `shop` is one, and the cache lies beside it.
class Photographs : public ::testing::Test {
protected:
  Photographs() {
    std::filesystem::create_directories(shop_);
    if (const char* before = ::getenv("XDG_CACHE_HOME")) {
      before_ = before;
    }
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  }
  ~Photographs() override { before_ ? ::setenv("XDG_CACHE_HOME", before_->c_str(), 1) : ::unsetenv("XDG_CACHE_HOME"); }

  void draw(const std::string& file, const Picture& picture) const {
    std::filesystem::create_directories((shop_ / file).parent_path());
    write_png(shop_ / file, picture);
  }
  void draw(const std::string& file, int seed) const { draw(file, drawn_picture(seed)); }

  // `count` pictures of each class, called 0.png and so on.
  void draw_classes(const std::vector<std::string>& classes, int count) const {
    int seed = 0;
    for (const std::string& name : classes) {
      for (int i = 0; i < count; ++i) {
        draw(name + "/" + std::to_string(i) + ".png", seed++);
      }
    }
  }

  Options::Data options() const {
    Options::Data data;
    data.source = shop_.string();
    data.size = "12x16";
    return data;
  }

  TemporaryFolder folder_;
  const std::filesystem::path shop_ = folder_ / "shop";

private:
  std::optional<std::string> before_;
};

}  // namespace duel::test
