// A network that answers with logits when it is shown a picture, ready to be asked: rows of pictures run through its
// recorded program in batches, and with them the derivatives of the logit that each row is asked about.
//
// Everything is in f32. A row's answer depends on its picture and question alone. What a sampling is to be: its inputs
// are a picture in f32 and perhaps a label; its first output is the logits, f32 [1,K].
#pragma once

#include "engine/program/execution.h"
#include "host/sample/sampler.h"
#include "kernels/memory.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace duel {

// What is asked about one picture.
struct Question {
  int logit = 0;  // its place among the logits
  int label = 0;  // the class that a network is told that judges by class; others are told none

  bool operator==(const Question&) const = default;
};

// Pictures [N,H,W,C] in -1..1, each with its question.
struct Questions {
  std::span<const float> pictures;
  std::span<const Question> asked;  // [N]
};

enum class Derivatives : bool { none, taken };

class AnsweringNetwork {
public:
  static constexpr int kRows = 32;  // of a batch

  // The model outlives this. Throws kind `device` where the device has too little memory.
  AnsweringNetwork(Context& context, const SamplingModel& model, Parameters::Block block, Derivatives derivatives);

  struct Row {
    std::span<const float> logits;        // [K]
    std::span<const float> map;           // [h,w,C] the last map (last_map.h), or nothing
    std::span<const float> gradient;      // [H,W,C] of the logit that was asked about, with respect to the picture,
    std::span<const float> map_gradient;  // [h,w,C] and to the map; nothing where derivatives are not taken
  };
  // Puts the picture of a row, [H,W,C], into its place, and says what is asked about it.
  using Fill = std::function<Question(std::int64_t row, std::span<float> picture)>;
  using Take = std::function<void(std::int64_t row, const Row& answer)>;

  // Rows 0 to rows-1, in order, whole batches at a time.
  void ask(Context& context, std::int64_t rows, const Fill& fill, const Take& take) const;
  // A row for each question.
  void ask(Context& context, const Questions& questions, const Take& take) const;

  const Shape& picture() const { return picture_; }  // [1,H,W,C]
  const Shape& map() const { return map_shape_; }    // [1,h,w,C]; of rank 0: it has none
  int logits() const { return logits_count_; }

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                           Derivatives derivatives);
  View view(Value value) const { return value.exists() ? execution_.view(value) : View{}; }

  Shape picture_, map_shape_;
  int logits_count_ = 0;
  Value logits_, map_, gradient_, map_gradient_;
  Execution execution_;
  Buffer pictures_, shares_, labels_, arena_;
};

// The logits of each, [N,K].
std::vector<float> logits_of(Context& context, const AnsweringNetwork& network, const Questions& questions);

}  // namespace duel
