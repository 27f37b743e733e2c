// Photographs of one folder with those of another that are called the same, but for their endings: "picture" and
// "input". The inputs may be smaller, all by one whole factor.
#pragma once

#include "host/data/decode_photographs.h"
#include "host/data/input_source.h"
#include "host/data/photograph_source.h"

#include <memory>
#include <string>

namespace duel {

class PairedSource : public InputSource {
public:
  // `inputs`: those of all of the truth's folder, place by place.
  PairedSource(std::unique_ptr<const PhotographSource> truth, std::shared_ptr<const DecodedFolder> inputs);

  std::unique_ptr<const Source> over(std::unique_ptr<const Source> truth) const override;

private:
  void read_added(std::int64_t row, std::size_t added, std::byte* to) const override;

  std::shared_ptr<const DecodedFolder> inputs_;
};

// Decodes what was not decoded yet, the inputs to the size of the pictures over the factor. Throws kind `data` where
// pictures have no partner, where one cannot be read, or where sizes are not those of all pairs: all of them are
// listed, up to kMostListed.
std::unique_ptr<const PairedSource> open_pairs(PhotographFolder truth, const std::string& inputs,
                                               const Options::Data& options, const DecodeSettings& settings);
inline constexpr std::size_t kMostListed = 12;

}  // namespace duel
