// A vendor's library, loaded when a context is opened: a program runs where it is missing.
#pragma once

#include <string>
#include <vector>

namespace duel {

class SharedLibrary {
public:
  // The first of `names` that loads: from the folders $DUEL_CUDA_LIBRARIES (a:b) alone where that is set; else as the
  // loader finds it (LD_LIBRARY_PATH, the system), else from lib64 and lib of $CUDA_HOME or /usr/local/cuda.
  explicit SharedLibrary(const std::vector<std::string>& names);
  // Not unloaded: vendor libraries keep threads and handlers of their own.

  bool is_loaded() const { return handle_ != nullptr; }
  const std::string& why_not() const { return why_not_; }  // what was looked for, and the loader's last word

  // Sets `function`; false where the library has no such symbol.
  template <class Function>
  bool find(const char* symbol, Function*& function) const {
    function = reinterpret_cast<Function*>(address_of(symbol));
    return function != nullptr;
  }

private:
  void* address_of(const char* symbol) const;
  void* handle_ = nullptr;
  std::string why_not_;
};

}  // namespace duel
