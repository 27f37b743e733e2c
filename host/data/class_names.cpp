#include "host/data/class_names.h"

#include "host/files/lower_case.h"
#include "kernels/check.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>

namespace duel {

namespace {

constexpr std::size_t kMaxNames = 65536, kMaxLength = 200;

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  return begin == text.npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

}  // namespace

std::vector<std::string> fashion_mnist_classes() {
  return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
}

std::vector<std::string> numbered_classes(int count) {
  std::vector<std::string> names;
  for (int number = 0; number < count; ++number) {
    names.push_back(std::to_string(number));
  }
  return names;
}

std::vector<std::string> read_class_names(const std::filesystem::path& file) {
  const std::string path = file.string();
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw_error(Error::Kind::data, "{}: cannot open: {}", path, std::strerror(errno));
  }
  std::vector<std::string> names;
  std::map<std::string, std::size_t> line_of;
  std::size_t line = 0, empty_line = 0;
  for (std::string text; std::getline(stream, text);) {
    ++line;
    const std::string name(without_spaces(text));
    if (name.empty()) {
      empty_line = empty_line == 0 ? line : empty_line;
      continue;
    }
    if (empty_line != 0) {
      throw_error(Error::Kind::data, "{}:{}: an empty line stands before '{}'; each line must name a class", path,
                  empty_line, name);
    }
    for (const char letter : name) {
      if (std::iscntrl(static_cast<unsigned char>(letter)) != 0) {
        throw_error(Error::Kind::data, "{}:{}: a name holds the byte {:02x}, which is no text", path, line,
                    static_cast<unsigned char>(letter));
      }
    }
    if (name.size() > kMaxLength || names.size() == kMaxNames) {
      throw_error(Error::Kind::data, "{}:{}: at most {} names of {} bytes are read", path, line, kMaxNames, kMaxLength);
    }
    const auto [first, is_new] = line_of.emplace(in_lower_case(name), line);
    if (!is_new) {
      throw_error(Error::Kind::data, "{}:{}: the name '{}' stands in line {} already", path, line, name, first->second);
    }
    names.push_back(name);
  }
  if (stream.bad() || !stream.eof()) {
    throw_error(Error::Kind::data, "{}: cannot be read", path);
  }
  if (names.empty()) {
    throw_error(Error::Kind::data, "{}: names no class", path);
  }
  return names;
}

}  // namespace duel
