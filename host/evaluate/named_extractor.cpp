#include "host/evaluate/named_extractor.h"

#include "host/evaluate/classifier_extractor.h"
#include "host/evaluate/default_extractor.h"
#include "host/evaluate/onnx_extractor.h"
#include "host/evaluate/pixel_extractor.h"
#include "kernels/check.h"

#include <string_view>

namespace duel {

namespace {

constexpr std::string_view kClassifier = "classifier:";
constexpr std::string_view kOnnx = "onnx:";
constexpr std::string_view kPixels = "pixels";

bool names(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size();
}

}  // namespace

void check_extractor_name(const std::string& name, const std::string& given) {
  if (!name.empty() && name != kPixels && !names(name, kClassifier) && !names(name, kOnnx)) {
    throw_error(Error::Kind::usage, "{}: must be classifier:RUN, onnx:FILE or pixels", given);
  }
}

std::unique_ptr<Extractor> make_named_extractor(Context& context, const ExtractorRequest& request,
                                                const Source& training) {
  const Shape picture = picture_shape(training);
  if (request.name == kPixels) {
    return make_pixel_extractor(picture);
  }
  if (names(request.name, kOnnx)) {
    return make_onnx_extractor(request.name.substr(kOnnx.size()), picture, request.where.threads, request.say);
  }
  std::string run = request.name;
  if (run.empty()) {
    const DefaultExtractor made = default_extractor(request.data, training, request.where, request.train, request.say);
    if (made.is_interrupted) {
      return nullptr;
    }
    run = made.run.string();
  } else {
    run.erase(0, kClassifier.size());
  }
  return make_classifier_extractor(context, run, picture, training);
}

}  // namespace duel
