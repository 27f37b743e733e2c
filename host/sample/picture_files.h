// Pictures in files and folders that a person names, brought to what a network takes, some at a time: memory does not
// grow with them.
//
// Where the network was trained on photographs, any photograph is decoded to its form as its data were (decode.h). Else
// a picture is what it is: a PNG file of exactly the network's size and channels. An IDX file holds many such, plain or
// gzip. A folder stands for the photographs in it, however deep (scan_photographs.h).
#pragma once

#include "host/config/options.h"
#include "host/data/photograph_folder.h"
#include "host/pictures/decode.h"
#include "kernels/tensor.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct TakenPictures {
  Shape picture;                    // [1,H,W,C] u8
  std::optional<PictureForm> form;  // of photographs, of that size and those channels
  int threads = 1;                  // that decode
};

// The options by which a run takes photographs, at the size and with the channels of its network.
Options::Data data_like(const Options::Data& trained, const Shape& picture);
// How the pictures of a person are taken for the network of a run with these options, which takes pictures [1,H,W,C].
TakenPictures taken_pictures(const Options& trained, const Shape& picture);

class PictureFiles {
public:
  // Throws kind `data` where a folder cannot be listed or holds no picture.
  PictureFiles(const std::vector<std::string>& files, TakenPictures taken);

  // Calls `take` with the names and pixels of the next pictures, at most `batch` of them, until there are none. Of a
  // picture of an IDX file the name is "FILE#ROW", rows from 0. What cannot be read is passed over; where it is all
  // there was, throws kind `data` with the first file's reason.
  using Take = std::function<void(std::span<const std::string> names, std::span<const std::uint8_t> pixels)>;
  void read(std::size_t batch, const Take& take);

  // Of the last read().
  const std::vector<SkippedFile>& unread() const { return unread_; }

private:
  void read_single(std::span<const std::string> files, const Take& take);
  void read_idx_file(const std::string& file, std::size_t batch, const Take& take);
  void read_one(const std::string& file, std::span<std::uint8_t> to) const;

  TakenPictures taken_;
  std::vector<std::string> files_;
  std::vector<SkippedFile> listed_, unread_;
};

}  // namespace duel
