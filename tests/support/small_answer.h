// Networks that answer with logits, made of a few operators, for tests of explanations: weights are random, f32.
#pragma once

#include "engine/ops/ops.h"
#include "host/explain/answering_network.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace duel::test {

inline Field numbers_field(const std::string& name, int count) {
  Field field;
  field.name = name;
  field.kind = FieldKind::vector;
  field.shape = {1, count};
  field.dtype = DType::f32;
  return field;
}

// What a sampling without networks reads: arrays by name, on a context of one thread.
class SmallAnswer {
public:
  SmallAnswer(int height, int width, int channels, int logits) {
    Field picture = picture_field("picture", height, width, channels);
    picture.dtype = DType::f32;
    sampling_.inputs = {picture};
    sampling_.outputs = {numbers_field("logits", logits)};
  }

  // An array of random numbers that is bound as that name.
  const std::vector<float>& add(const std::string& name, const Shape& shape) {
    std::vector<float>& values = values_[name];
    values.resize(static_cast<std::size_t>(shape.count()));
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::generate(values.begin(), values.end(), [&] { return uniform(random_); });
    Buffer& buffer = buffers_.emplace_back(context_, values.size() * sizeof(float));
    upload<float>(context_, buffer.view(shape, DType::f32), values);
    storage_.add(name, buffer.view(shape, DType::f32));
    return values;
  }

  using Record = std::function<Value(Program&, Value pictures)>;
  void record(const Record& record) {
    sampling_.record = [record](Program& program, const Sampling::Run&, std::span<const Value> inputs) {
      return std::vector<Value>{record(program, inputs[0])};
    };
  }

  std::vector<float> pictures(int count) {
    std::vector<float> values(static_cast<std::size_t>(count * sampling_.inputs[0].shape.count()));
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::generate(values.begin(), values.end(), [&] { return uniform(random_); });
    return values;
  }

  const std::vector<float>& values(const std::string& name) const { return values_.at(name); }
  SamplingModel model() const { return {sampling_, networks_, storage_}; }
  AnsweringNetwork network(Derivatives derivatives = Derivatives::taken) {
    return {context_, model(), Parameters::Block::average, derivatives};
  }
  Context& context() { return context_; }

private:
  Context context_ = Context::cpu(1);
  std::mt19937_64 random_{5};
  Sampling sampling_;
  Networks networks_;
  Storage storage_;
  std::map<std::string, std::vector<float>> values_;
  std::vector<Buffer> buffers_;
};

// logits = x w, of the numbers of a picture.
inline void make_linear(SmallAnswer& answer, const Shape& picture, int logits) {
  const auto numbers = static_cast<int>(picture.count());
  answer.add("w", {numbers, logits});
  answer.record([=](Program& program, Value pictures) {
    const Value w = program.bind("w", {numbers, logits}, DType::f32);
    const Value rows = program.reshape(pictures, {program.shape(pictures)[0], numbers});
    return ops::matmul(program, {}, rows, w, DType::f32);
  });
}

// A = tanh(3x3 convolution of x), the map; logits = the mean of A over places, times v.
inline void make_convolutional(SmallAnswer& answer, int channels, int filters, int logits) {
  answer.add("w", {filters, 3, 3, channels});
  answer.add("v", {filters, logits});
  answer.record([=](Program& program, Value pictures) {
    const Value w = program.bind("w", {filters, 3, 3, channels}, DType::f32);
    const Value v = program.bind("v", {filters, logits}, DType::f32);
    const Value sums = ops::conv2d(program, Conv2d::same(3), pictures, w);
    const Value map = ops::bias_act(program, {ActivationKind::tanh}, sums, {});
    const Shape shape = program.shape(map);
    const float share = 1.0F / static_cast<float>(shape[1] * shape[2]);
    const Value means = ops::reduce_sum(program, {Axes::each_row_and_column, share}, map);
    return ops::matmul(program, {}, means, v, DType::f32);
  });
}

// The same in double, plain loops: the map [H,W,filters] and the logits of one picture [H,W,channels].
struct ConvolutionalReference {
  int height, width, channels, filters, logits;
  const std::vector<float>&w, &v;

  std::vector<double> map(const std::vector<double>& x) const {
    std::vector<double> values;
    for (int y = 0; y < height; ++y) {
      for (int column = 0; column < width; ++column) {
        for (int k = 0; k < filters; ++k) {
          double sum = 0;
          for (int r = 0; r < 3; ++r) {
            for (int s = 0; s < 3; ++s) {
              const int from_y = y + r - 1, from_x = column + s - 1;
              for (int c = 0; c < channels && from_y >= 0 && from_y < height && from_x >= 0 && from_x < width; ++c) {
                sum += static_cast<double>(w[static_cast<std::size_t>(((k * 3 + r) * 3 + s) * channels + c)]) *
                       x[static_cast<std::size_t>((from_y * width + from_x) * channels + c)];
              }
            }
          }
          values.push_back(std::tanh(sum));
        }
      }
    }
    return values;
  }

  double logit(const std::vector<double>& x, int which) const {
    const std::vector<double> values = map(x);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t k = i % static_cast<std::size_t>(filters);
      sum += values[i] * static_cast<double>(v[k * static_cast<std::size_t>(logits) + static_cast<std::size_t>(which)]);
    }
    return sum / (height * width);
  }
};

}  // namespace duel::test
