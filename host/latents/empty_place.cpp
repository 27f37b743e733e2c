#include "host/latents/empty_place.h"

#include "kernels/check.h"

#include <system_error>

namespace duel {

std::filesystem::path empty_place(const std::string& out) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::path place = fs::weakly_canonical(fs::absolute(out), failure);
  if (failure) {
    throw_error(Error::Kind::data, "--out {}: cannot be reached: {}", out, failure.message());
  }
  if (!place.has_filename()) {
    place = place.parent_path();
  }
  if (!fs::exists(place, failure)) {
    return place;
  }
  if (!fs::is_directory(place, failure)) {
    throw_error(Error::Kind::usage, "--out {}: is a file; name a folder", out);
  }
  const fs::directory_iterator first(place, failure);
  if (failure) {
    throw_error(Error::Kind::data, "--out {}: cannot be listed: {}", out, failure.message());
  }
  if (first != fs::directory_iterator()) {
    throw_error(Error::Kind::usage, "--out {}: holds files already, as {}; name a folder that is new or empty", out,
                first->path().filename().string());
  }
  return place;
}

}  // namespace duel
