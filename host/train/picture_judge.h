// What tells a training how good the pictures are that its generator draws now.
//
// A judge looks through an extractor, which is a trained network itself and so stands above training: who asks for a
// training hands in what makes the judge (host/evaluate/run_judge.h).
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/sample/sampler.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

#include <functional>
#include <memory>
#include <string>

namespace duel {

// Distances of a set of pictures from real ones that the generator was not trained on, where there are such: the lower
// the better (host/metrics).
struct Judgement {
  double kid = 0, frechet = 0;
};

class PictureJudge {
public:
  PictureJudge() = default;
  PictureJudge(const PictureJudge&) = delete;
  PictureJudge& operator=(const PictureJudge&) = delete;
  virtual ~PictureJudge() = default;

  // What is compared with what, and by which extractor.
  virtual std::string text() const = 0;
  // The same of real pictures in the place of the generated ones: no generator can be expected to do better.
  virtual const Judgement& floor() const = 0;
  // Whose moving averages draw pictures [1,H,W,C] from now on. What the model consists of outlives the last judge().
  virtual void attach(const SamplingModel& model, const Shape& picture) = 0;
  // Always draws the same latents, and reads weights where they lie: nothing may change them meanwhile.
  virtual Judgement judge() = 0;
};

struct JudgeRequest {
  Context& context;  // outlives the judge
  const Options& options;
  const Source& training;
  bool is_plan = false;  // nothing is trained: no judge where that would be needed
};

// None where a signal came while it trained an extractor. Throws as `duel evaluate` does (host/evaluate/evaluate.h).
using MakeJudge = std::function<std::unique_ptr<PictureJudge>(const JudgeRequest&)>;

}  // namespace duel
