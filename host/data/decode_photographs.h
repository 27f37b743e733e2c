// From the files of a folder to the rows of a cache, once and in parallel; from then on the cache is found.
//
// The cache is ~/.cache/duel/pictures/NAME.rows (cache_folder.h), one for a folder and a form, so that every run, dry
// run and report on these pictures finds it, whichever run's folder is removed, and a resumed run does too. What a file
// is, is told by its name, size and time of change: a cache of other files, of another format, or that is damaged is
// made again in its place. One process at a time makes one; others wait for it.
#pragma once

#include "host/data/decoded_cache.h"
#include "host/data/photograph_folder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct DecodeProgress {
  std::string_view what;  // "reading headers", "decoding", "waiting for another process that decodes them"
  std::int64_t done = 0, count = 0;
};

struct DecodeSettings {
  PictureForm form;  // channels 0: 1 where every picture is stored as grey, else 3
  int threads = 0;   // 0: as default_threads.h has it
  // Called every so many pictures by the caller's own thread; what it throws ends the work, and nothing is left behind.
  std::function<void(const DecodeProgress&)> progress = {};
};

struct DecodedFolder {
  std::unique_ptr<const DecodedCache> cache;
  std::vector<const DecodedPicture*> pictures;  // of each of the folder's
  std::string note;  // what was done and why: "2 pictures decoded in 0.1 s into ..."; "" where a cache was found
};

// Throws kind `data` where none of the pictures can be decoded (a single fault is in DecodedPicture), where there is no
// place for a cache or no room, and in a program that was built without libvips.
DecodedFolder decode_photographs(const PhotographFolder& folder, const DecodeSettings& settings);

// Throws kind `data`, with both numbers, where `needed` bytes are more than are `free`. `cache` is named.
void check_cache_room(std::uint64_t needed, std::uint64_t free, const std::filesystem::path& cache);

}  // namespace duel
