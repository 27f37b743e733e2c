#include "engine/program/storage.h"

#include "kernels/check.h"

namespace duel {

void Storage::add(const std::string& name, View view) {
  check(view.data != nullptr || view.bytes() == 0, "storage: \"{}\" ({}) has no memory", name, view);
  check(views_.emplace(name, view).second, "storage: \"{}\" was added twice", name);
}

const View* Storage::find(const std::string& name) const {
  const auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

}  // namespace duel
