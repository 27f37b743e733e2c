// An extractor by the name that a person gives it: "classifier:RUN", "onnx:FILE", "pixels", or nothing, for
// default_extractor.h.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/evaluate/extractor.h"
#include "host/train/training_run.h"
#include "kernels/context.h"

#include <functional>
#include <memory>
#include <string>

namespace duel {

struct ExtractorRequest {
  std::string name;    // "": the default one
  Options::Data data;  // that opened `training`
  Options where;       // device, threads, kernels of a training of the default one
  std::function<TrainingResult(const TrainingRequest&)> train;
  std::function<void(const std::string&)> say;
};

// Throws kind `usage` for a name that is none; `given` says where it stands, "--extractor foo".
void check_extractor_name(const std::string& name, const std::string& given);

// None where a signal came while the default one was trained. Throws as those that make it do.
std::unique_ptr<Extractor> make_named_extractor(Context& context, const ExtractorRequest& request,
                                                const Source& training);

}  // namespace duel
