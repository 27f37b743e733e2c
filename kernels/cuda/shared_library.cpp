#include "kernels/cuda/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace duel {

namespace {

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

SharedLibrary::SharedLibrary(const std::vector<std::string>& names) {
  const std::string given = from_environment("DUEL_CUDA_LIBRARIES", ""),
                    home = from_environment("CUDA_HOME", "/usr/local/cuda");
  std::vector<std::string> folders;
  if (given.empty()) {
    folders = {"", home + "/lib64/", home + "/lib/"};
  }
  for (std::size_t begin = 0; begin < given.size();) {
    const std::size_t end = std::min(given.find(':', begin), given.size());
    folders.push_back(given.substr(begin, end - begin) + "/");
    begin = end + 1;
  }
  for (const std::string& folder : folders) {
    for (const std::string& name : names) {
      handle_ = ::dlopen((folder + name).c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) {
        return;
      }
    }
  }
  why_not_ = fmt::format("{} was not found{} (DUEL_CUDA_LIBRARIES can name its folder)", fmt::join(names, " or "),
                         given.empty() ? "" : " in " + given);
}

void* SharedLibrary::address_of(const char* symbol) const {
  return handle_ == nullptr ? nullptr : ::dlsym(handle_, symbol);
}

}  // namespace duel
