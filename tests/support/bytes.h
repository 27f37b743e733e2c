// Files as bytes, for tests of formats.
#pragma once

#include "tests/support/temporary_folder.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace duel::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Returns the path, for the call that reads the file.
inline std::filesystem::path write_bytes(const std::filesystem::path& file, const Bytes& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  if (!out.flush()) {
    throw std::runtime_error("cannot write " + file.string());
  }
  return file;
}

// The message of the data error that `call` throws; "" where it throws none.
template <class Call>
std::string data_error(Call&& call) {
  const auto error = error_of(call);
  if (error) {
    EXPECT_EQ(error->kind(), Error::Kind::data) << error->what();
  }
  return error ? error->what() : "";
}

}  // namespace duel::test
