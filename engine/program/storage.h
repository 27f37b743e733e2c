// Memory outside a program, by name: what a program's bound values are looked up in when it is attached.
#pragma once

#include "kernels/tensor.h"

#include <map>
#include <string>

namespace duel {

class Storage {
public:
  // Throws kind `internal` for a name given twice, and for a view without data.
  void add(const std::string& name, View view);

  // nullptr: there is none of that name.
  const View* find(const std::string& name) const;

  const std::map<std::string, View>& all() const { return views_; }

private:
  std::map<std::string, View> views_;
};

}  // namespace duel
