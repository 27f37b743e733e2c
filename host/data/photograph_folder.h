// A folder of photographs as it lies on the disk, before anything is decoded: which files are pictures, and what each
// is of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace duel {

struct Photograph {
  std::string file;                  // from the folder on, with slashes
  std::uint64_t size = 0;            // bytes
  std::int64_t modified = 0;         // nanoseconds since 1970
  std::int64_t changed = 0;          // the same, of its permissions too
  int label = -1;                    // of `classes`; -1 where there are none
  std::vector<int> attributes = {};  // of `attributes`, in order
};

struct SkippedFile {
  std::string file;
  std::string reason;  // "is empty"
};

struct PhotographFolder {
  std::filesystem::path path;
  std::vector<Photograph> pictures;            // by `file`, byte for byte, so that the order is that of every machine
  std::vector<std::string> classes;            // by name, byte for byte; UTF-8
  std::vector<std::string> attributes;         // "colour=red", column by column as the table has them
  std::vector<int> attribute_columns;          // the column of each, counted from 0
  std::vector<SkippedFile> skipped;            // what looks like a picture and is none, or is of no class
  std::map<std::string, std::int64_t> others;  // files that are no pictures, by their endings in lower case
  std::vector<std::string> notes;              // what else a person should know, a sentence each
};

}  // namespace duel
