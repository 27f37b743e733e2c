// What makes features of pictures, by which metrics compare them: figures of two extractors mean different things, so
// each says which one it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct ExtractorFacts {
  std::string name;                         // "classifier:runs/classes, step 2808"
  std::string hash;                         // of its weights: "crc32c 1a2b3c4d", "sha256 ..."
  std::string resize;                       // how a picture becomes what it takes
  int width = 0;                            // of a row of features
  std::vector<std::string> classes;         // that it tells; may be none
  bool has_seen_training_pictures = false;  // it was trained on the training pictures of these data
};

struct Extraction {
  std::vector<float> features;       // [count, width]
  std::vector<float> probabilities;  // [count, classes]
};

class Extractor {
public:
  Extractor() = default;
  Extractor(const Extractor&) = delete;
  Extractor& operator=(const Extractor&) = delete;
  virtual ~Extractor() = default;

  virtual const ExtractorFacts& facts() const = 0;
  // Of pictures [count,H,W,C], of the size it was made for. A row depends on its picture alone.
  virtual Extraction extract(std::span<const std::uint8_t> pictures, std::int64_t count) = 0;
};

}  // namespace duel
