// The judge of a run while it trains (host/train/picture_judge.h): the kernel and the Frechet distance that
// `duel evaluate` finds of its checkpoint with as many pictures, the same extractor and the seed 0.
#pragma once

#include "host/train/picture_judge.h"
#include "host/train/training_run.h"

#include <functional>
#include <memory>
#include <string>

namespace duel {

// By `evaluate` in the request's options. `train` and `say` as ExtractorRequest has them.
std::unique_ptr<PictureJudge> make_run_judge(const JudgeRequest& request,
                                             const std::function<TrainingResult(const TrainingRequest&)>& train,
                                             const std::function<void(const std::string&)>& say);

}  // namespace duel
