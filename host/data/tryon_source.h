// Synthetic try-on: the pairs that tools/make_tryon.py makes. SET/train and SET/test hold a folder for each field, with
// pictures by the same names, all of one size:
//
//   picture  the truth, the person in the garment                                        3 channels
//   person   the person without it                                                      3
//   body     the parts of the body as colours                                            3
//   garment  the garment as it lies, opaque where it is                                  4
//   worn     white where the garment is seen on the truth                                1
//   flow     of each pixel of the truth the place on the garment's picture, as bytes     3
//
// Each pair of the training is a second row too, `count` further on: mirrored, the arms of its body in each other's
// colours.
//
// No person and no garment of the test is in the training, so the test is what is held out, whatever data.held_out
// says.
#pragma once

#include "host/config/options.h"
#include "host/data/decode_photographs.h"
#include "host/data/source.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace duel {

class TryonSource : public Source {
public:
  // `part`: "train" or "test". Throws kind `data` where a field's folder is missing or a picture has no partner in one,
  // is of another size than the first or cannot be read; kind `usage` where data.size is not theirs.
  TryonSource(const Options::Data& options, const std::string& part, const DecodeSettings& settings);

  const std::string& name() const override { return options_.source; }
  std::int64_t count() const override { return count_; }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;

  // The test of the same set; none where there is no such folder.
  std::unique_ptr<const Source> held_out() const;

private:
  Options::Data options_;
  int threads_;
  std::int64_t pairs_ = 0, count_ = 0;  // count_: with the mirrored ones
  std::vector<DecodedFolder> folders_;  // of each field
  std::vector<Field> fields_;
  std::string fingerprint_;
};

bool is_tryon_set(const std::filesystem::path& folder);

// Of pictures of that size.
std::vector<Field> tryon_fields(int height, int width);

// The place on the garment's picture, (column, row) as shares of its width and height, that a pixel of "flow" holds: 12
// bits each of -0.5..1.5, the high eight of the column in red and of the row in green, the low four in blue, those of
// the column above those of the row.
std::array<double, 2> flow_place(std::span<const std::uint8_t> pixel);

}  // namespace duel
