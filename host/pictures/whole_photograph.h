// Photographs at their full size, to be changed and written as what they were: JPEG, PNG, WebP, TIFF and GIF, by
// libvips.
//
// What a file holds decides, not how its name ends (decode.h has the limits). It is turned as its EXIF orientation
// says. Colours of 8 bits a channel stay the numbers that they are, and their profile is kept; anything else (16 bits,
// grey, CMYK, Lab) becomes sRGB of 8 bits, by its profile where it has a usable one. Of animations and files of several
// pages the first picture is taken. EXIF, XMP, IPTC and resolution are kept, but for EXIF's orientation and thumbnail,
// which would be wrong.
//
// Errors are of kind `data` and begin with the path.
#pragma once

#include "host/pictures/png.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace duel {

class PhotographNotes;  // what a file says beside its pixels

struct WholePhotograph {
  Picture colours;                  // of 3 channels
  std::vector<std::uint8_t> alpha;  // [height, width]; empty where the file has none
  std::string converted;            // "16 bits", "grey", "CMYK" or "Lab", which it was; empty: colours are as stored
  std::shared_ptr<const PhotographNotes> notes;
};

WholePhotograph read_whole_photograph(const std::filesystem::path& path);

// Kinds of files that are written: JPEG and WebP of quality 95 (JPEG without loss of resolution in colour), PNG, TIFF
// by LZW.
enum class SavedFormat : std::uint8_t { jpeg, png, webp, tiff };

// By picture_facts()'s name. GIF, which is not written, becomes PNG; so does JPEG and WebP where pixels must come back
// as they are.
SavedFormat saved_format(const std::string& format, bool is_exact);
const char* ending_of(SavedFormat format);                                  // ".jpg"
bool has_ending_of(SavedFormat format, const std::filesystem::path& path);  // .jpeg and .JPG are JPEG's, too
int largest_side(SavedFormat format);                                       // that a file of it can have

// The file's bytes, of 1 to 4 channels, the last of 2 and 4 opacity. `like`: whose notes are kept; the colour profile
// only where the picture is in colour. `path` is named in errors.
std::string encode_photograph(const Picture& picture, SavedFormat format, const PhotographNotes& like,
                              const std::filesystem::path& path);

}  // namespace duel
