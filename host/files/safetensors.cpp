#include "host/files/safetensors.h"

#include "host/files/crc32c.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <utility>

namespace duel {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are stored in the memory's own byte order");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kTensorChecksums = "crc32c";
constexpr const char* kHeaderChecksum = "crc32c_header";

constexpr std::pair<const char*, DType> kTypes[] = {
    {"F32", DType::f32}, {"BF16", DType::bf16}, {"U8", DType::u8}, {"I32", DType::i32}, {"I64", DType::i64}};

std::string hex(std::uint32_t value) {
  return fmt::format("{:08x}", value);
}

// Metadata may hold a path or a name typed by a person, which need not be UTF-8.
std::string print(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The text as it comes back from the file.
std::string printable(const std::string& text) {
  return json::parse(print(text)).get<std::string>();
}

std::uint32_t checksum_of(const std::string& text) {
  return crc32c(std::as_bytes(std::span(text)));
}

// What the header's checksum is of.
std::string checked_text(const json& header, const std::string& checksums) {
  json tensors = json::object();
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadataKey) {
      tensors[name] = {{"dtype", value["dtype"]}, {"shape", value["shape"]}};
    }
  }
  return print({{kTensorChecksums, checksums}, {"tensors", tensors}});
}

std::string metadata_name(const std::string& key) {
  return std::string(kMetadataKey) + "/" + key;
}

std::string describe(DType dtype, const std::vector<std::int64_t>& shape) {
  return fmt::format("{}[{}]", name_of(dtype), fmt::join(shape, ","));
}

const char* file_name_of(DType dtype) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.second == dtype; });
  check(type != std::end(kTypes), "write_safetensors: type {} has no name in the format", name_of(dtype));
  return type->first;
}

// Bytes of a tensor, or nothing where they do not fit into 64 bits.
std::optional<std::uint64_t> byte_count(DType dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t count = size_of(dtype);
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &count)) {
      return std::nullopt;
    }
  }
  return count;
}

std::string header_of(const std::vector<const NamedTensor*>& tensors, const TensorMetadata& metadata) {
  json header = json::object();
  json checksums = json::object();
  std::uint64_t offset = 0;
  for (const NamedTensor* tensor : tensors) {
    check(tensor->name != kMetadataKey && !header.contains(tensor->name),
          "write_safetensors: the tensor name \"{}\" is reserved or used twice", tensor->name);
    check(byte_count(tensor->dtype, tensor->shape) == tensor->bytes.size(),
          "write_safetensors: tensor \"{}\" is {} but has {} bytes", tensor->name,
          describe(tensor->dtype, tensor->shape), tensor->bytes.size());
    const std::uint64_t end = offset + tensor->bytes.size();
    header[tensor->name] = {
        {"dtype", file_name_of(tensor->dtype)}, {"shape", tensor->shape}, {"data_offsets", {offset, end}}};
    checksums[tensor->name] = hex(crc32c(tensor->bytes));
    offset = end;
  }
  for (const auto& [key, value] : metadata) {
    check(key != kTensorChecksums && key != kHeaderChecksum, "write_safetensors: the metadata key \"{}\" is reserved",
          key);
    check(!header.contains(metadata_name(key)), "write_safetensors: the tensor name \"{}\" is reserved",
          metadata_name(key));
    header[kMetadataKey][key] = value;
    checksums[metadata_name(key)] = hex(checksum_of(printable(value)));
  }
  const std::string checksums_text = print(checksums);
  header[kMetadataKey][kTensorChecksums] = checksums_text;
  header[kMetadataKey][kHeaderChecksum] = hex(checksum_of(checked_text(header, checksums_text)));
  std::string text = print(header);
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');  // so that the data is aligned
  return text;
}

// The header of a file of which nothing is believed yet.
class HeaderReader {
public:
  HeaderReader(const std::filesystem::path& path, const FileDescriptor& file) : path_(path.string()) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      fail("is not a regular file");
    }
    const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
    if (file_bytes < kLengthBytes) {
      fail("has {} bytes, too few for a safetensors file", file_bytes);
    }
    std::uint64_t header_bytes = 0;
    read_all(file, 0, std::as_writable_bytes(std::span(&header_bytes, 1)), path);
    if (header_bytes > kMaxHeaderBytes || header_bytes > file_bytes - kLengthBytes) {
      fail("the header is said to have {} bytes, but the file has {} (truncated, or no safetensors file)", header_bytes,
           file_bytes);
    }
    std::string text(header_bytes, '\0');
    read_all(file, kLengthBytes, std::as_writable_bytes(std::span(text)), path);
    // A zero byte ends the text for the JSON library, which would then not look at what stands behind it.
    if (const std::size_t zero = text.find('\0'); zero != std::string::npos) {
      fail("the header is not JSON: a zero at byte {} of the file", kLengthBytes + zero);
    }
    try {
      header_ = json::parse(text);
    } catch (const json::parse_error& error) {  // its text may quote the whole header
      fail("the header is not JSON: a fault at byte {} of the file", kLengthBytes + error.byte);
    } catch (const json::exception&) {
      fail("the header is not JSON: a number is out of range");
    }
    if (!header_.is_object()) {
      fail("the header is not a JSON object");
    }
    data_begin_ = kLengthBytes + header_bytes;
    data_bytes_ = file_bytes - data_begin_;
  }

  TensorMetadata metadata() const {
    TensorMetadata result;
    const auto found = header_.find(kMetadataKey);
    if (found == header_.end()) {
      return result;
    }
    if (!found->is_object()) {
      fail("{} is not a JSON object", kMetadataKey);
    }
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string()) {
        fail("{} has a value at \"{}\" that is not a string", kMetadataKey, key);
      }
      result[key] = value.get<std::string>();
    }
    return result;
  }

  std::map<std::string, SafetensorsFile::Entry> entries() const {
    std::map<std::string, SafetensorsFile::Entry> result;
    for (const auto& [name, value] : header_.items()) {
      if (name != kMetadataKey) {
        result[name] = entry(name, value);
      }
    }
    check_ranges(result);
    return result;
  }

  // Takes the reserved keys out of `metadata`. Comes last, because printing needs a header that is known to be flat.
  void take_checksums(TensorMetadata& metadata, std::map<std::string, SafetensorsFile::Entry>& entries) {
    const auto of_header = metadata.extract(kHeaderChecksum);
    const auto of_tensors = metadata.extract(kTensorChecksums);
    if (of_header.empty() && of_tensors.empty()) {
      return;
    }
    if (of_header.empty() || of_tensors.empty()) {
      fail("one of the checksums {} and {} is missing, so the file is damaged", kTensorChecksums, kHeaderChecksum);
    }
    header_[kMetadataKey].erase(kHeaderChecksum);
    const bool is_of_before = hex(checksum_of(print(header_))) == of_header.mapped();
    if (!is_of_before && hex(checksum_of(checked_text(header_, of_tensors.mapped()))) != of_header.mapped()) {
      fail("the header does not have its checksum {}, so the file is damaged", of_header.mapped());
    }
    const json checksums = json::parse(of_tensors.mapped(), nullptr, false);
    for (auto& [name, entry] : entries) {
      const auto found = checksums.is_object() ? checksums.find(name) : checksums.end();
      std::uint32_t value = 0;
      if (found == checksums.end() || !found->is_string() || !parse_hex(found->get<std::string>(), value)) {
        fail("tensor \"{}\" has no readable checksum, so the file is damaged", name);
      }
      entry.checksum = value;
    }
    if (!checksums.is_object()) {
      fail("{} is no JSON object, so the file is damaged", kTensorChecksums);
    }
    for (const auto& [name, value] : checksums.items()) {
      if (!name.starts_with(metadata_name(""))) {
        continue;
      }
      const auto found = metadata.find(name.substr(metadata_name("").size()));
      if (found == metadata.end() || hex(checksum_of(printable(found->second))) != value) {
        fail("{} does not have its checksum, so the file is damaged", name);
      }
    }
  }

private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw_error(Error::Kind::data, "{}: {}", path_, fmt::format(format, std::forward<Args>(args)...));
  }

  static bool parse_hex(const std::string& text, std::uint32_t& value) {
    const bool digits = text.size() == 8 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
    value = digits ? static_cast<std::uint32_t>(std::stoul(text, nullptr, 16)) : 0;
    return digits;
  }

  SafetensorsFile::Entry entry(const std::string& name, const json& value) const {
    const auto is_list = [](const json& list) {
      return list.is_array() && std::all_of(list.begin(), list.end(), [](const json& e) {
               return e.is_number_unsigned() && e.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
             });
    };
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value["dtype"].is_string() ||
        !value.contains("shape") || !is_list(value["shape"]) || !value.contains("data_offsets") ||
        !is_list(value["data_offsets"]) || value["data_offsets"].size() != 2) {
      fail("tensor \"{}\" is not described by dtype, shape and data_offsets", name);
    }
    SafetensorsFile::Entry result;
    const auto type_name = value["dtype"].get<std::string>();
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return type_name == t.first; });
    if (type == std::end(kTypes)) {
      fail("tensor \"{}\" has type {}, but only F32, BF16, U8 and I64 can be read", name, type_name);
    }
    result.dtype = type->second;
    result.shape = value["shape"].get<std::vector<std::int64_t>>();
    const auto begin = value["data_offsets"][0].get<std::uint64_t>();
    const auto end = value["data_offsets"][1].get<std::uint64_t>();
    if (begin > end || end > data_bytes_) {
      fail("tensor \"{}\" lies at bytes {} to {} of the data, which has {} bytes (truncated?)", name, begin, end,
           data_bytes_);
    }
    if (byte_count(result.dtype, result.shape) != end - begin) {
      fail("tensor \"{}\" is {} but has {} bytes", name, describe(result.dtype, result.shape), end - begin);
    }
    result.offset = data_begin_ + begin;
    result.bytes = end - begin;
    return result;
  }

  // The tensors must cover the data without overlap and without a hole: the format demands it, and it finds
  // truncated files, files with something appended, and names that occur twice.
  void check_ranges(const std::map<std::string, SafetensorsFile::Entry>& entries) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const auto& [name, entry] : entries) {
      ranges.emplace_back(entry.offset - data_begin_, entry.offset - data_begin_ + entry.bytes);
    }
    std::sort(ranges.begin(), ranges.end());
    std::uint64_t covered = 0;
    for (const auto& [begin, end] : ranges) {
      if (begin != covered) {
        fail("tensors overlap or leave a hole in the data between bytes {} and {}", std::min(begin, covered),
             std::max(begin, covered));
      }
      covered = end;
    }
    if (covered != data_bytes_) {
      fail("the tensors have {} bytes, but the file holds {} bytes of data", covered, data_bytes_);
    }
  }

  std::string path_;
  json header_;
  std::uint64_t data_begin_ = 0, data_bytes_ = 0;
};

}  // namespace

NamedTensor named_tensor(std::string name, const View& host) {
  return {std::move(name),
          host.dtype,
          {host.shape.begin(), host.shape.end()},
          {static_cast<const std::byte*>(host.data), host.bytes()}};
}

void write_safetensors(const ByteSink& sink, std::span<const NamedTensor> tensors, const TensorMetadata& metadata) {
  std::vector<const NamedTensor*> ordered;
  for (const NamedTensor& tensor : tensors) {
    ordered.push_back(&tensor);
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const NamedTensor* a, const NamedTensor* b) { return size_of(a->dtype) > size_of(b->dtype); });
  const std::string header = header_of(ordered, metadata);
  const std::uint64_t header_bytes = header.size();
  sink(std::as_bytes(std::span(&header_bytes, 1)));
  sink(std::as_bytes(std::span(header)));
  for (const NamedTensor* tensor : ordered) {
    sink(tensor->bytes);
  }
}

void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const TensorMetadata& metadata) {
  FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    write_safetensors([&](std::span<const std::byte> bytes) { write_all(file, bytes, path); }, tensors, metadata);
    close_file(file, path);
  } catch (...) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) {  // never unlink a device such as /dev/full
      std::filesystem::remove(path, ignored);
    }
    throw;
  }
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(open_file(path, O_RDONLY)) {
  HeaderReader reader(path_, file_);
  metadata_ = reader.metadata();
  entries_ = reader.entries();
  reader.take_checksums(metadata_, entries_);
}

const SafetensorsFile::Entry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw_error(Error::Kind::data, "{}: has no tensor \"{}\"", path_.string(), name);
  }
  return found->second;
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) {
    throw_error(Error::Kind::data, "{}: has no metadata \"{}\"", path_.string(), key);
  }
  return found->second;
}

std::vector<std::byte> SafetensorsFile::read(const std::string& name) const {
  const Entry& found = entry(name);
  std::vector<std::byte> bytes(found.bytes);
  read_all(file_, found.offset, bytes, path_);
  check_read(name, found, crc32c(bytes));
  return bytes;
}

void SafetensorsFile::read(const std::string& name, const View& host) const {
  const Entry& found = entry(name);
  if (found.dtype != host.dtype ||
      !std::equal(found.shape.begin(), found.shape.end(), host.shape.begin(), host.shape.end())) {
    throw_error(Error::Kind::data, "{}: tensor \"{}\" is {}, but {} is needed", path_.string(), name,
                describe(found.dtype, found.shape), host);
  }
  const std::span bytes(static_cast<std::byte*>(host.data), found.bytes);
  read_all(file_, found.offset, bytes, path_);
  check_read(name, found, crc32c(bytes));
}

void SafetensorsFile::verify() const {
  std::vector<std::byte> block(std::size_t{1} << 20);
  for (const auto& [name, found] : entries_) {
    std::uint32_t checksum = 0;
    for (std::uint64_t done = 0; done < found.bytes; done += block.size()) {
      const std::span part(block.data(), std::min<std::uint64_t>(block.size(), found.bytes - done));
      read_all(file_, found.offset + done, part, path_);
      checksum = crc32c(part, checksum);
    }
    check_read(name, found, checksum);
  }
}

void SafetensorsFile::check_read(const std::string& name, const Entry& entry, std::uint32_t checksum) const {
  if (entry.checksum && *entry.checksum != checksum) {
    throw_error(Error::Kind::data, "{}: tensor \"{}\" has checksum {} instead of {}, so the file is damaged",
                path_.string(), name, hex(checksum), hex(*entry.checksum));
  }
}

}  // namespace duel
