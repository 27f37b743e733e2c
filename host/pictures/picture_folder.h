// A folder that single pictures are written into, by several threads and at the speed of the encoder.
//
// Each file appears whole or not at all, but all are brought to disk together, by sync(): after a power cut before that
// some may be missing or empty. A folder that holds pictures already is refused, or cleared first where that was asked
// for, so that old and new ones never lie beside one another. Errors of writing are of kind `data`.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/pictures/png.h"

namespace duel {

class PictureFolder {
public:
  // Throws kind `usage` where the folder holds pictures and `clear` is not set, or such as were never made here: only
  // files named as picture_name() and seed_name() do are removed.
  PictureFolder(std::filesystem::path folder, bool clear, int threads);

  // picture(i) makes what is written as names[i], and texts(i) what its file says of it; both are called by several
  // threads at once.
  void write(std::span<const std::string> names, const std::function<Picture(std::size_t)>& picture,
             const std::function<PngTexts(std::size_t)>& texts = {});
  void sync();

private:
  void write_one(const std::string& name, const Picture& picture, const PngTexts& texts) const;

  std::filesystem::path folder_;
  int threads_;
};

std::string picture_name(std::size_t number);  // "0000012.png"
std::string seed_name(std::uint64_t seed);     // "seed_0000000012.png"
bool is_seed_name(std::string_view name);

// Whether a name ends as files of pictures do: .png, .jpg, .webp and the like.
bool has_picture_ending(const std::filesystem::path& path);

}  // namespace duel
