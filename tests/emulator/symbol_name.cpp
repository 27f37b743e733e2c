#include "emulator/symbol_name.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

namespace duel::emulator {

namespace {

std::uintptr_t load_address() {
  std::uintptr_t address = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        *static_cast<std::uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the program itself is the first
      },
      &address);
  return address;
}

template <class T>
T read(const std::vector<char>& file, std::size_t offset) {
  T value{};
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// The functions of this program by address. Not by dladdr, which does not know those in unnamed namespaces.
std::map<std::uintptr_t, std::string> read_functions() {
  std::ifstream stream("/proc/self/exe", std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), {}};
  std::map<std::uintptr_t, std::string> functions;
  if (file.size() < sizeof(ElfW(Ehdr))) {
    return functions;
  }
  const auto header = read<ElfW(Ehdr)>(file, 0);
  const auto section = [&](std::size_t i) { return read<ElfW(Shdr)>(file, header.e_shoff + i * header.e_shentsize); };
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto symbols = section(i);
    if (symbols.sh_type != SHT_SYMTAB) {
      continue;
    }
    const auto strings = section(symbols.sh_link);
    for (std::size_t at = 0; at < symbols.sh_size; at += sizeof(ElfW(Sym))) {
      const auto symbol = read<ElfW(Sym)>(file, symbols.sh_offset + at);
      if ((symbol.st_info & 0xF) == STT_FUNC && symbol.st_value != 0) {
        functions[load_address() + symbol.st_value] = file.data() + strings.sh_offset + symbol.st_name;
      }
    }
  }
  return functions;
}

std::string demangled(const std::string& name) {
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, nullptr);
  const std::string result = text == nullptr ? name : text;
  std::free(text);
  return result;
}

}  // namespace

std::string base_name(const std::string& signature) {
  constexpr const char* kUnnamed = "(anonymous namespace)";
  std::string text = signature;
  for (std::size_t at = text.find(kUnnamed); at != text.npos; at = text.find(kUnnamed)) {
    text.erase(at, std::strlen(kUnnamed));
  }
  const std::size_t end = text.find_first_of("<(");  // no kernel's return type, void, has either
  const std::size_t begin = text.find_last_of(": ", end);
  return text.substr(begin == text.npos ? 0 : begin + 1, end == text.npos ? end : end - begin - 1);
}

std::string function_name(const void* function) {
  static const std::map<std::uintptr_t, std::string> functions = read_functions();
  const auto found = functions.find(reinterpret_cast<std::uintptr_t>(function));
  return found == functions.end() ? "?" : base_name(demangled(found->second));
}

}  // namespace duel::emulator
