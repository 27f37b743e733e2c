// Files of named tensors in the safetensors format: checkpoints, exported models, recorded trajectories.
//
// Format (github.com/huggingface/safetensors): 8 bytes little-endian header length, a JSON header
//   {"__metadata__": {string: string}, NAME: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ...}
// padded with spaces, then the tensors' bytes without holes. Element types are F32, BF16, U8 and I64.
//
// What is unusual: two reserved keys of `__metadata__` find flipped bits, and other readers ignore them.
//   "crc32c"         JSON text {NAME: "xxxxxxxx"}, the CRC-32C of each tensor's bytes, and at "__metadata__/KEY" that
//   of
//                    each value of `__metadata__`
//   "crc32c_header"  CRC-32C of {"crc32c": that text, "tensors": {NAME: {"dtype": .., "shape": ..}}}, as nlohmann-json
//                    prints it without white space
// Neither depends on where the tensors lie, on white space, or on keys that were added to `__metadata__`, so a file
// that another program has read and saved unchanged is whole. A file with neither, as other programs write it, is read
// unchecked; a file with only one of them is damaged. Files of before have "crc32c_header" of the header without this
// key, and are read too.
// Every fault of a file is an Error of kind `data` that begins with the path.
#pragma once

#include "host/files/file_descriptor.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct NamedTensor {  // bytes in host memory that the caller keeps until they are written
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

NamedTensor named_tensor(std::string name, const View& host);

using TensorMetadata = std::map<std::string, std::string>;
using ByteSink = std::function<void(std::span<const std::byte>)>;

// Tensors of wide elements come first, so that each one lies aligned to its element. A path is created or
// overwritten, and removed again if it cannot be written whole; it is not synced (host/files/atomic_file.h does that).
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const TensorMetadata& metadata);
void write_safetensors(const ByteSink& sink, std::span<const NamedTensor> tensors, const TensorMetadata& metadata);

// An open file whose header has been checked. Tensors are read when asked for, and their checksums verified then.
class SafetensorsFile {
public:
  struct Entry {
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::uint64_t offset = 0;  // from the beginning of the file
    std::uint64_t bytes = 0;
    std::optional<std::uint32_t> checksum;
  };

  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  bool contains(const std::string& name) const { return entries_.count(name) != 0; }
  const Entry& entry(const std::string& name) const;  // throws where there is none

  std::vector<std::byte> read(const std::string& name) const;
  void read(const std::string& name, const View& host) const;  // type and shape must be those of the view
  void verify() const;                                         // every checksum, in constant memory

  const TensorMetadata& metadata() const { return metadata_; }  // without the two reserved keys
  const std::string& metadata(const std::string& key) const;    // throws where there is none

private:
  void check_read(const std::string& name, const Entry& entry, std::uint32_t checksum) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  std::map<std::string, Entry> entries_;
  TensorMetadata metadata_;
};

}  // namespace duel
