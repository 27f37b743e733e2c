// The format byte by byte, and that every damaged or hostile file is an Error and never a crash or wrong data.
#include "host/files/safetensors.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

namespace duel {
namespace {

using nlohmann::json;
using test::error_of;
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

constexpr auto kData = Error::Kind::data;
constexpr auto kInternal = Error::Kind::internal;

struct Example {
  std::vector<float> weights = {1.5F, -2.0F, 0.25F, 3.0F, -0.0F, 1e30F};
  std::vector<std::uint16_t> halves = {0x3f80, 0xbf80, 0x4000};
  std::vector<std::uint8_t> pixels = {0, 127, 255};
  std::vector<std::int64_t> step = {-5'000'000'000};
  TensorMetadata metadata = {{"preset", "steady"}, {"note", "quotes \" and \\ and \xc3\xa9"}};

  // Deliberately not in the order of alignment.
  std::vector<NamedTensor> tensors() {
    return {named_tensor("pixels", {pixels.data(), {3}, DType::u8}),
            named_tensor("generator/dense0/w", {weights.data(), {2, 3}, DType::f32}),
            named_tensor("halves", {halves.data(), {3, 1, 1, 1}, DType::bf16}),
            named_tensor("step", {step.data(), {1}, DType::i64})};
  }
  std::filesystem::path write(const TemporaryFolder& folder) {
    write_safetensors(folder / "example.safetensors", tensors(), metadata);
    return folder / "example.safetensors";
  }
};

void open_and_verify(const std::filesystem::path& path) {
  SafetensorsFile(path).verify();
}

// A file with this header and this many bytes of data, as some other program might write it.
std::filesystem::path write_raw(const TemporaryFolder& folder, const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  write_file(folder / "raw.safetensors", text + header + std::string(data_bytes, '\1'));
  return folder / "raw.safetensors";
}

TEST(Safetensors, GivesBackWhatWasWritten) {
  TemporaryFolder folder;
  Example example;
  const SafetensorsFile file(example.write(folder));
  file.verify();
  EXPECT_EQ(file.entries().size(), 4U);
  EXPECT_EQ(file.metadata(), example.metadata);
  EXPECT_EQ(file.metadata("preset"), "steady");
  for (const NamedTensor& tensor : example.tensors()) {
    EXPECT_TRUE(file.contains(tensor.name));
    EXPECT_EQ(file.entry(tensor.name).dtype, tensor.dtype);
    EXPECT_EQ(file.entry(tensor.name).shape, tensor.shape);
    const std::vector<std::byte> bytes = file.read(tensor.name);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end())) << tensor.name;
  }
  std::vector<float> weights(6, 99.0F);
  file.read("generator/dense0/w", View{weights.data(), {2, 3}, DType::f32});
  EXPECT_EQ(std::memcmp(weights.data(), example.weights.data(), sizeof(float) * 6), 0);
}

TEST(Safetensors, FollowsTheFormatByteByByte) {
  TemporaryFolder folder;
  Example example;
  const std::string text = read_file(example.write(folder));
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(text[8], '{');
  ASSERT_EQ(text.size(), 8 + length + 8 + 24 + 6 + 3);
  const json header = json::parse(text.substr(8, length));
  EXPECT_EQ(header["step"], json::parse(R"({"dtype":"I64","shape":[1],"data_offsets":[0,8]})"));
  EXPECT_EQ(header["generator/dense0/w"], json::parse(R"({"dtype":"F32","shape":[2,3],"data_offsets":[8,32]})"));
  EXPECT_EQ(header["halves"], json::parse(R"({"dtype":"BF16","shape":[3,1,1,1],"data_offsets":[32,38]})"));
  EXPECT_EQ(header["pixels"], json::parse(R"({"dtype":"U8","shape":[3],"data_offsets":[38,41]})"));
  EXPECT_EQ(header.size(), 5U);
  EXPECT_EQ(std::memcmp(text.data() + 8 + length + 8, example.weights.data(), 24), 0);
  for (const auto& [key, value] : header["__metadata__"].items()) {
    EXPECT_TRUE(value.is_string()) << key;
  }
  EXPECT_EQ(header["__metadata__"]["preset"], "steady");
}

TEST(Safetensors, WritesNothingAtAllToo) {
  TemporaryFolder folder;
  write_safetensors(folder / "empty.safetensors", {}, {});
  const SafetensorsFile file(folder / "empty.safetensors");
  EXPECT_TRUE(file.entries().empty());
  EXPECT_TRUE(file.metadata().empty());
}

TEST(Safetensors, KeepsMetadataThatIsNotUtf8Readable) {
  TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {}, {{"path", "caf\xe9"}});
  EXPECT_EQ(SafetensorsFile(folder / "a.safetensors").metadata("path"), "caf\xef\xbf\xbd");
}

TEST(Safetensors, VerifiesTensorsLargerThanItsBlock) {
  TemporaryFolder folder;
  std::vector<float> values(600'000);
  std::iota(values.begin(), values.end(), 0.0F);
  const auto path = folder / "large.safetensors";
  write_safetensors(path, std::vector{named_tensor("w", {values.data(), {600'000}, DType::f32})}, {});
  EXPECT_NO_THROW(open_and_verify(path));
  std::string text = read_file(path);
  text[text.size() - 1] = static_cast<char>(text[text.size() - 1] ^ 1);
  write_file(path, text);
  EXPECT_ERROR(open_and_verify(path), kData, "tensor \"w\" has checksum");
  EXPECT_ERROR(SafetensorsFile(path).read("w"), kData, "damaged");
}

TEST(Safetensors, FindsEveryTruncation) {
  TemporaryFolder folder;
  const auto path = Example().write(folder);
  const std::string whole = read_file(path);
  write_file(path, whole + '\0');
  EXPECT_ERROR(open_and_verify(path), kData, "of data");
  for (std::size_t length = whole.size(); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    EXPECT_ERROR(open_and_verify(path), kData, "example.safetensors: ");
  }
}

TEST(Safetensors, FindsEveryFlippedBit) {
  TemporaryFolder folder;
  const auto path = Example().write(folder);
  const std::string text = read_file(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);  // in place, because rewriting is slow
  const auto put = [&](std::size_t at, int byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
  };
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    put(bit / 8, text[bit / 8] ^ (1 << bit % 8));
    const auto error = error_of([&] { open_and_verify(path); });
    ASSERT_TRUE(error.has_value()) << "bit " << bit % 8 << " of byte " << bit / 8 << " goes unnoticed";
    ASSERT_EQ(error->kind(), kData) << error->what();
    put(bit / 8, text[bit / 8]);
  }
  EXPECT_NO_THROW(open_and_verify(path)) << "the flips were taken back";
}

// What another program makes of a file that it reads and saves unchanged: tensors and keys in an order of its own,
// other white space, perhaps a key more in the metadata.
std::string saved_again(const std::string& text, bool with_a_key, bool with_a_change) {
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof length);
  const json header = json::parse(text.substr(8, length));
  nlohmann::ordered_json again;
  std::string data;
  for (auto entry = header.rbegin(); entry != header.rend(); ++entry) {
    if (entry.key() == "__metadata__") {
      continue;
    }
    const std::size_t begin = entry.value()["data_offsets"][0], end = entry.value()["data_offsets"][1];
    again[entry.key()] = {{"shape", entry.value()["shape"]},
                          {"data_offsets", {data.size(), data.size() + end - begin}},
                          {"dtype", entry.value()["dtype"]}};
    data += text.substr(8 + length + begin, end - begin);
  }
  again["__metadata__"] = header["__metadata__"];
  if (with_a_key) {
    again["__metadata__"]["saved by"] = "a person";
  }
  if (with_a_change) {
    again["__metadata__"]["preset"] = "classic";
  }
  const std::string printed = again.dump(1) + "     ";
  length = printed.size();
  std::string result(sizeof length, '\0');
  std::memcpy(result.data(), &length, sizeof length);
  return result + printed + data;
}

TEST(Safetensors, ReadsWhatAnotherProgramSavedAgain) {
  TemporaryFolder folder;
  Example example;
  const std::string text = read_file(example.write(folder));
  for (const bool with_a_key : {false, true}) {
    std::string again = saved_again(text, with_a_key, false);
    write_file(folder / "again", again);
    EXPECT_NO_THROW(open_and_verify(folder / "again"));
    EXPECT_EQ(SafetensorsFile(folder / "again").metadata("preset"), "steady");
    again.back() = static_cast<char>(again.back() ^ 1);
    write_file(folder / "again", again);
    EXPECT_ERROR(open_and_verify(folder / "again"), kData, "so the file is damaged");
  }
  write_file(folder / "again", saved_again(text, false, true));
  EXPECT_ERROR(open_and_verify(folder / "again"), kData, "__metadata__/preset does not have its checksum");
}

TEST(Safetensors, ReadsFilesOfOtherProgramsWithoutChecksums) {
  TemporaryFolder folder;
  const auto path = write_raw(folder, R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
      "none":{"dtype":"U8","shape":[0,7],"data_offsets":[4,4]},
      "five":{"dtype":"U8","shape":[1,1,1,1,2],"data_offsets":[4,6]}}   )",
                              6);
  const SafetensorsFile file(path);
  EXPECT_NO_THROW(file.verify());
  EXPECT_FALSE(file.entry("a").checksum.has_value());
  EXPECT_EQ(file.read("a").size(), 4U);
  EXPECT_EQ(file.read("none").size(), 0U);
  EXPECT_EQ(file.entry("five").shape.size(), 5U);
}

TEST(Safetensors, RefusesHeadersThatCannotBeRight) {
  const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const struct {
    std::string header, part;
  } cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"{} x", "not JSON"},
      {std::string("{}\0 x", 5), "not JSON"},
      {R"({"a":1e999})", "not JSON"},
      {std::string(100'000, '['), "not JSON"},
      {"[]", "not a JSON object"},
      {"{}", "the file holds 8 bytes"},
      {R"({"__metadata__":[]})", "__metadata__ is not"},
      {R"({"__metadata__":{"k":1}})", "not a string"},
      {R"({"a":1})", "not described"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "not described"},
      {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", "not described"},
      {tensor("F32", "2", "[0,8]"), "not described"},
      {tensor("F32", "[-2]", "[0,8]"), "not described"},
      {tensor("F32", "[2.0]", "[0,8]"), "not described"},
      {tensor("F32", "[[[2]]]", "[0,8]"), "not described"},
      {tensor("F32", "[18446744073709551615]", "[0,8]"), "not described"},
      {tensor("F32", "[2]", "[0]"), "not described"},
      {tensor("F32", "[2]", "[0,8,9]"), "not described"},
      {tensor("F64", "[1]", "[0,8]"), "type F64"},
      {tensor("F32", "[2]", "[8,0]"), "bytes 8 to 0"},
      {tensor("F32", "[2]", "[0,9]"), "truncated?"},
      {tensor("F32", "[2]", "[0,9223372036854775807]"), "truncated?"},
      {tensor("F32", "[3]", "[0,8]"), "is f32[3] but has 8 bytes"},
      {tensor("F32", "[4611686018427387904,4,2]", "[0,8]"), "has 8 bytes"},
      {tensor("F32", "[4611686018427387904,4]", "[0,0]"), "has 0 bytes"},
      {tensor("U8", "[7]", "[1,8]"), "hole in the data between bytes 0 and 1"},
      {tensor("U8", "[7]", "[0,7]"), "the tensors have 7 bytes"},
      {R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})",
       "overlap"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
       "hole"},
      {R"({"__metadata__":{"crc32c":"{}"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "is missing"},
      {R"({"__metadata__":{"crc32c":"{}","crc32c_header":"00"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
       "does not have its checksum"},
  };
  TemporaryFolder folder;
  for (const auto& item : cases) {
    SCOPED_TRACE(item.header.substr(0, 120));
    EXPECT_ERROR(open_and_verify(write_raw(folder, item.header, 8)), kData, item.part);
  }
}

TEST(Safetensors, RefusesAnAbsurdHeaderLength) {
  TemporaryFolder folder;
  for (const std::uint64_t length :
       {std::uint64_t{17}, std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    std::string text(24, ' ');
    std::memcpy(text.data(), &length, sizeof length);
    write_file(folder / "a", text);
    EXPECT_ERROR(open_and_verify(folder / "a"), kData, std::to_string(length));
  }
}

TEST(Safetensors, NamesWhatIsMissingOrDifferent) {
  TemporaryFolder folder;
  Example example;
  const SafetensorsFile file(example.write(folder));
  std::vector<float> values(6);
  EXPECT_ERROR(file.entry("generator/dense9/w"), kData, "has no tensor \"generator/dense9/w\"");
  EXPECT_ERROR(file.read("absent"), kData, "example.safetensors: has no tensor");
  EXPECT_ERROR(file.metadata("absent"), kData, "has no metadata \"absent\"");
  EXPECT_ERROR(file.read("generator/dense0/w", View{values.data(), {3, 2}, DType::f32}), kData,
               "is f32[2,3], but f32[3,2] is needed");
  EXPECT_ERROR(file.read("halves", View{values.data(), {3, 1, 1, 1}, DType::u8}), kData, "u8[3,1,1,1] is needed");
  EXPECT_ERROR(SafetensorsFile(folder / "absent"), kData, "absent: cannot be opened for reading: No such file");
  EXPECT_ERROR(SafetensorsFile(folder.path()), kData, "is not a regular file");
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  TemporaryFolder folder;
  std::vector<float> values(6);
  const View view{values.data(), {2, 3}, DType::f32};
  const auto write = [&](const std::vector<NamedTensor>& tensors, const TensorMetadata& metadata) {
    write_safetensors(folder / "x", tensors, metadata);
  };
  EXPECT_ERROR(write({named_tensor("a", view), named_tensor("a", view)}, {}), kInternal, "used twice");
  EXPECT_ERROR(write({named_tensor("__metadata__", view)}, {}), kInternal, "reserved");
  EXPECT_ERROR(write({}, {{"crc32c", "x"}}), kInternal, "reserved");
  NamedTensor wrong = named_tensor("a", view);
  wrong.shape = {7};
  EXPECT_ERROR(write({wrong}, {}), kInternal, "f32[7] but has 24 bytes");
  EXPECT_TRUE(test::names_in(folder.path()).empty());
}

TEST(Safetensors, SaysWhenTheDiskIsFull) {
  Example example;
  EXPECT_ERROR(write_safetensors("/dev/full", example.tensors(), {}), kData, "/dev/full: cannot write 8 bytes");
  EXPECT_ERROR(write_safetensors("/dev/full", example.tensors(), {}), kData, "No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  EXPECT_ERROR(write_safetensors("/nowhere/at/all", example.tensors(), {}), kData, "No such file or directory");
}

}  // namespace
}  // namespace duel
