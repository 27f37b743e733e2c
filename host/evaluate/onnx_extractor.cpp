#include "host/evaluate/onnx_extractor.h"

#include "host/data/in_parallel.h"
#include "host/device/default_threads.h"
#include "host/evaluate/network_input.h"
#include "host/evaluate/onnx_network.h"
#include "host/files/file_descriptor.h"
#include "host/files/sha256.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace duel {

namespace {

constexpr std::int64_t kFreeBatch = 4;  // where the network takes any: more were no quicker, and fill caches

// The rows of a batch, or their means over pixels where it is a map, into `to` [rows, width].
void take_means(std::span<const float> map, std::int64_t width, std::int64_t pixels, bool has_channels_last,
                std::span<float> to) {
  const std::int64_t of_pixel = has_channels_last ? width : 1, of_feature = has_channels_last ? 1 : pixels;
  for (std::int64_t i = 0; i < std::ssize(to); ++i) {
    const float* first = &map[static_cast<std::size_t>(i / width * width * pixels + i % width * of_feature)];
    double sum = 0;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      sum += first[pixel * of_pixel];
    }
    to[static_cast<std::size_t>(i)] = static_cast<float>(sum / static_cast<double>(pixels));
  }
}

class OnnxExtractor : public Extractor {
public:
  OnnxExtractor(const std::string& file, const Shape& picture, int threads,
                const std::function<void(const std::string&)>& say)
      : picture_(picture), threads_(threads > 0 ? threads : default_threads().threads) {
    const std::string bytes = read_text_file(file);
    network_ = read_onnx_network(file, std::as_bytes(std::span(bytes)));
    const std::string described = file + ".json";
    const std::optional<NetworkInput> given = read_network_input(described);
    input_ = given.value_or(NetworkInput());
    take_input(file, described);
    check_output(file);
    const auto extents = has_channels_last_ ? std::vector<std::int64_t>{batch_, size_.height, size_.width, 3}
                                            : std::vector<std::int64_t>{batch_, 3, size_.height, size_.width};
    take_made(file, network_->prepare(extents, threads_));
    for (int thread = 0; thread < threads_; ++thread) {
      std::fill(network_->input(thread).begin(), network_->input(thread).end(), 0.0F);  // what a short batch leaves
    }
    facts_.name = "onnx:" + file;
    facts_.hash = "sha256 " + sha256(std::as_bytes(std::span(bytes)));
    facts_.resize = to_text(input_, size_);
    if (!given) {
      say(fmt::format("there is no {} to say what {} takes for a picture; pictures are brought {}, which is ImageNet's",
                      described, file, facts_.resize));
    }
  }

  const ExtractorFacts& facts() const override { return facts_; }

  Extraction extract(std::span<const std::uint8_t> pictures, std::int64_t count) override {
    Extraction result;
    const auto width = static_cast<std::size_t>(facts_.width),
               bytes = pictures.size() / static_cast<std::size_t>(count);
    result.features.resize(static_cast<std::size_t>(count) * width);
    std::atomic<std::int64_t> next = 0;
    in_parallel(threads_, threads_, [&](std::int64_t thread) {
      const std::span<float> input = network_->input(static_cast<int>(thread));
      const std::size_t row = input.size() / static_cast<std::size_t>(batch_);
      for (std::int64_t first = batch_ * next++; first < count; first = batch_ * next++) {
        const auto rows = static_cast<std::size_t>(std::min(count - first, batch_)),
                   at = static_cast<std::size_t>(first);
        for (std::size_t i = 0; i < rows; ++i) {
          fill_network_input(input_, size_, has_channels_last_, pictures.subspan((at + i) * bytes, bytes), picture_,
                             input.subspan(i * row, row));
        }
        take_means(network_->run(static_cast<int>(thread)), facts_.width, pixels_, has_channels_last_,
                   std::span(result.features).subspan(at * width, rows * width));
      }
    });
    return result;
  }

private:
  // What its input says: where the channels are, how many pictures, of which size.
  void take_input(const std::string& file, const std::string& described) {
    constexpr const char* kMust = "it must have one input, of pictures, f32 [N,3,H,W] or [N,H,W,3]";
    const std::vector<OnnxPort>& inputs = network_->inputs();
    if (inputs.size() != 1) {
      throw_error(Error::Kind::usage, "{}: has {} inputs, but as an extractor {}", file, inputs.size(), kMust);
    }
    const OnnxPort& its = inputs[0];
    const bool is_of_pictures = its.is_f32 && its.has_rank && its.extents.size() == 4;
    if (!is_of_pictures || (its.extents[1] != 3 && its.extents[3] != 3)) {
      throw_error(Error::Kind::usage, "{}: its input {} is {}, but as an extractor {}", file, its.name, to_text(its),
                  kMust);
    }
    has_channels_last_ = its.extents[1] != 3;
    batch_ = its.extents[0] < 0 ? kFreeBatch : its.extents[0];
    const std::size_t down = has_channels_last_ ? 1 : 2;
    const std::int64_t height = its.extents[down], width = its.extents[down + 1];
    const PictureSize wanted = input_.size.value_or(PictureSize{kUsualSize, kUsualSize});
    size_ = {height < 0 ? wanted.height : static_cast<int>(height), width < 0 ? wanted.width : static_cast<int>(width)};
    if (input_.size && *input_.size != size_) {
      throw_error(Error::Kind::usage, "{}: says pictures of {}x{} (width x height), but {} takes {}x{}", described,
                  input_.size->width, input_.size->height, file, size_.width, size_.height);
    }
  }

  void check_output(const std::string& file) const {
    constexpr const char* kMust = "it must have one output, of features, f32 [N,D] or a map of them, of four extents";
    const std::vector<OnnxPort>& outputs = network_->outputs();
    if (outputs.size() != 1) {
      throw_error(Error::Kind::usage, "{}: has {} outputs, but as an extractor {}", file, outputs.size(), kMust);
    }
    const OnnxPort& its = outputs[0];
    if (!its.is_f32 || (its.has_rank && its.extents.size() != 2 && its.extents.size() != 4)) {
      throw_error(Error::Kind::usage, "{}: its output {} is {}, but as an extractor {}", file, its.name, to_text(its),
                  kMust);
    }
  }

  // What it made of a batch: [N,D], or a map with its channels where the input has them.
  void take_made(const std::string& file, const std::vector<std::int64_t>& made) {
    const bool is_map = made.size() == 4;
    const bool is_good = (is_map || made.size() == 2) && made[0] == batch_ &&
                         std::all_of(made.begin(), made.end(), [](std::int64_t extent) { return extent > 0; });
    if (!is_good) {
      throw_error(Error::Kind::usage,
                  "{}: makes an array [{}] of {} pictures, but a row of features for each is needed", file,
                  fmt::join(made, ","), batch_);
    }
    const std::int64_t width = is_map && has_channels_last_ ? made[3] : made[1];
    if (width > kMostWidth) {
      throw_error(Error::Kind::usage, "{}: makes {} features, but no more than {} can be compared", file, width,
                  kMostWidth);
    }
    facts_.width = static_cast<int>(width);
    pixels_ = is_map ? (has_channels_last_ ? made[1] * made[2] : made[2] * made[3]) : 1;
  }

  static constexpr std::int64_t kMostWidth = 4096;  // their covariances grow with its square

  Shape picture_;
  int threads_;
  std::unique_ptr<OnnxNetwork> network_;
  NetworkInput input_;
  bool has_channels_last_ = false;
  std::int64_t batch_ = 0, pixels_ = 1;
  PictureSize size_;
  ExtractorFacts facts_;
};

}  // namespace

std::unique_ptr<Extractor> make_onnx_extractor(const std::string& file, const Shape& picture, int threads,
                                               const std::function<void(const std::string&)>& say) {
  return std::make_unique<OnnxExtractor>(file, picture, threads, say);
}

}  // namespace duel
