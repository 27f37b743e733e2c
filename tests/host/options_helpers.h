// What the tests of options share.
#pragma once

#include "host/config/configuration.h"
#include "kernels/check.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

namespace duel::test {

namespace fs = std::filesystem;

// A configuration file that is gone again after the test.
class ConfigFile {
public:
  explicit ConfigFile(const std::string& text)
      : path_(fs::temp_directory_path() /
              fmt::format("duel_options_{}_{}.toml", ::getpid(),
                          ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { fs::remove(path_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  std::string path() const { return path_.string(); }

private:
  fs::path path_;
};

// The message of the usage error that `call` throws; "" where it throws none.
template <class Call>
std::string usage_error(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_EQ(error.exit_code(), 2);
    return error.what();
  }
  return "";
}

inline std::string set_error(const std::string& setting) {
  return usage_error([&] { resolve_options("", "", {parse_setting(setting)}); });
}

inline std::vector<Setting> settings(std::initializer_list<const char*> texts) {
  std::vector<Setting> list;
  for (const char* text : texts) {
    list.push_back(parse_setting(text));
  }
  return list;
}

// Without "file:line:column: ", for a table's header, whose column differs between versions of the parser.
inline std::string without_place(const std::string& message) {
  return message.substr(message.find(": ") + 2);
}

inline std::string file_error(const std::string& text) {
  return usage_error([&] { options_from_toml(text, "run.toml"); });
}

}  // namespace duel::test
