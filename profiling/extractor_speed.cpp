// How long an extractor takes for a batch of 64 drawn pictures: classifier:RUN|onnx:FILE HEIGHT WIDTH CHANNELS THREADS
// BATCHES. Prints the least and the median of the batches behind a first one, in ms.
#include "host/data/open_dataset.h"
#include "host/evaluate/classifier_extractor.h"
#include "host/evaluate/onnx_extractor.h"
#include "kernels/check.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <vector>

namespace duel {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kBatch = 64;

int run(int count, char** arguments) {
  if (count != 7) {
    std::fputs("usage: duel_extractor_speed classifier:RUN|onnx:FILE HEIGHT WIDTH CHANNELS THREADS BATCHES\n", stderr);
    return 2;
  }
  const std::string name = arguments[1], file = name.substr(name.find(':') + 1);
  const Shape picture{1, std::stoi(arguments[2]), std::stoi(arguments[3]), std::stoi(arguments[4])};
  const int threads = std::stoi(arguments[5]), batches = std::stoi(arguments[6]);
  Context context = Context::cpu(threads);
  Options::Data data;
  data.source = "synthetic";  // that the classifier may not have seen
  data.synthetic_count = kBatch;
  const Data opened = open_dataset(data);
  const Source& drawn = main_source(opened);
  const std::unique_ptr<Extractor> extractor =
      name.starts_with("onnx:") ? make_onnx_extractor(file, picture, threads, [](const std::string&) {})
                                : make_classifier_extractor(context, file, picture, drawn);
  std::mt19937 random(1);
  std::vector<std::uint8_t> pictures(static_cast<std::size_t>(kBatch * picture.count()));
  std::generate(pictures.begin(), pictures.end(), [&] { return static_cast<std::uint8_t>(random() >> 24); });
  extractor->extract(pictures, kBatch);
  std::vector<double> times;
  for (int i = 0; i < batches; ++i) {
    const Clock::time_point begin = Clock::now();
    extractor->extract(pictures, kBatch);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%.3f %.3f\n", times.front(), times[times.size() / 2]);
  return 0;
}

}  // namespace
}  // namespace duel

int main(int count, char** arguments) {
  try {
    return duel::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "duel_extractor_speed: %s\n", error.what());
    return 1;
  }
}
