#include "host/pictures/whole_photograph.h"

#include "host/files/lower_case.h"

namespace duel {

SavedFormat saved_format(const std::string& format, bool is_exact) {
  if (format == "TIFF") {
    return SavedFormat::tiff;
  }
  if (!is_exact && format == "JPEG") {
    return SavedFormat::jpeg;
  }
  return !is_exact && format == "WebP" ? SavedFormat::webp : SavedFormat::png;
}

const char* ending_of(SavedFormat format) {
  switch (format) {
    case SavedFormat::jpeg: return ".jpg";
    case SavedFormat::webp: return ".webp";
    case SavedFormat::tiff: return ".tif";
    case SavedFormat::png: break;
  }
  return ".png";
}

bool has_ending_of(SavedFormat format, const std::filesystem::path& path) {
  const std::string ending = in_lower_case(path.extension().string());
  return ending == ending_of(format) || (format == SavedFormat::jpeg && ending == ".jpeg") ||
         (format == SavedFormat::tiff && ending == ".tiff");
}

int largest_side(SavedFormat format) {
  switch (format) {
    case SavedFormat::jpeg: return 65'500;
    case SavedFormat::webp: return 16'383;
    case SavedFormat::tiff:
    case SavedFormat::png: break;
  }
  return 1'000'000;
}

}  // namespace duel
