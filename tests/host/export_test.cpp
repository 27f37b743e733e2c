// Networks as ONNX graphs: that every preset's compute the same as the engine, batches of any size, what the graphs
// hold, and what has no form is refused.
#include "engine/ops/ops.h"
#include "host/export/onnx_file.h"
#include "host/export/onnx_graph.h"
#include "host/export/portable_program.h"
#include "host/recipes/registry.h"
#include "host/recipes/state_memory.h"
#include "host/sample/recorded_sampling.h"
#include "host/sample/sampler.h"
#include "host/train/training_plan.h"
#include "tests/support/onnx_interpreter.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <set>

namespace duel::test {
namespace {

using Block = Parameters::Block;

// A preset's sampling, or one of its single networks, with random weights and statistics.
class Model {
public:
  explicit Model(const Options& options, const std::string& network = "")
      : recipe_(make_recipe(options, fields_of(small_dataset(options)), 40)),
        networks_(recipe_->make_networks()),
        sampling_(network.empty() ? recipe_->sampling() : recipe_->single_networks().at(network)),
        state_(context_, record_sampling(sampling_, networks_, {1, Block::master, std::nullopt}).state) {
    for (const std::string& name : sampling_.networks) {
      const NamedNetwork& named = networks_.at(name);
      named.network->parameters().allocate(context_, sampling_blocks(named));
      for (const Block block : {Block::master, Block::average}) {
        if (named.network->parameters().has(block)) {
          fill(named.network->parameters().view(block), -0.4F, 0.6F);
        }
      }
    }
    for (const StateMemory::Array& array : state_.arrays()) {
      fill(array.view, 0.3F, 1.4F);
    }
    networks_.add_to(storage_);
    state_.add_to(storage_);
  }

  OnnxGraph graph(const Sampling& fields) {
    const Sampling recorded = with_pictures_in_f32(fields);
    const PortableProgram portable(context_, {recorded, networks_, storage_}, Block::average);
    return make_onnx_graph("model", portable, fields);
  }
  OnnxGraph graph() { return graph(with_class_numbers(sampling_)); }

  // The largest difference of an output, over the largest of its numbers, for a batch of so many rows.
  double difference(const Sampling& fields, int rows) {
    std::vector<std::vector<std::byte>> bytes;
    std::map<std::string, OnnxValues> given;
    const OnnxGraph graph = this->graph(fields);
    for (std::size_t i = 0; i < sampling_.inputs.size(); ++i) {
      const OnnxArray& array = graph.inputs.at(i);
      OnnxShape shape = array.shape;
      shape[0] = rows;
      given[array.name] = {shape, {}};
      bytes.push_back(random_rows(sampling_.inputs[i], rows, array, given[array.name].values));
    }
    std::vector<std::span<const std::byte>> all(bytes.begin(), bytes.end());
    const std::vector<std::vector<float>> right =
        RowSampler(context_, {sampling_, networks_, storage_}, Block::average).run(context_, all);
    std::map<std::string, OnnxValues> made = OnnxInterpreter(graph).run(given);
    double worst = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const bool is_picture = sampling_.outputs[i].kind == FieldKind::picture;
      const OnnxValues& values = made.at(is_picture ? "pictures_nchw" : sampling_.outputs[i].name);
      worst = std::max(worst, off(right[i], is_picture ? channels_last(values) : values.values));
      if (is_picture) {
        expect_pixels(right[i], made.at("pictures"));
      }
    }
    return worst;
  }

  const Sampling& sampling() const { return sampling_; }

private:
  void fill(const View& view, float low, float high) {
    std::vector<float> values(static_cast<std::size_t>(view.count()));
    std::uniform_real_distribution<float> uniform(low, high);
    std::generate(values.begin(), values.end(), [&] { return uniform(random_); });
    upload<float>(context_, view, values);
  }

  // Rows of a field as the engine has them stored, and as numbers of the graph's input.
  std::vector<std::byte> random_rows(const Field& field, int rows, const OnnxArray& array, std::vector<double>& given) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows) * field.row_bytes());
    const auto numbers = static_cast<int>(field.shape.count());
    for (int row = 0; row < rows; ++row) {
      const int label = row % std::max(1, static_cast<int>(field.names.size()));
      if (array.type == OnnxType::i64) {
        given.push_back(label);
      }
      for (int i = 0; i < numbers; ++i) {
        const std::size_t place = static_cast<std::size_t>(row) * numbers + i;
        if (field.dtype == DType::u8) {
          const auto pixel = static_cast<std::uint8_t>(random_() % 256);
          bytes[place] = std::byte{pixel};
          given.push_back(pixel);
        } else if (field.dtype == DType::i32) {
          std::memcpy(&bytes[4 * place], &label, 4);
        } else {
          const float whole = i == label ? 1.0F : 0.0F;
          const float value = field.kind == FieldKind::attributes ? whole : std::normal_distribution<float>()(random_);
          std::memcpy(&bytes[4 * place], &value, 4);
          if (array.type == OnnxType::f32) {
            given.push_back(static_cast<double>(value));
          }
        }
      }
    }
    return bytes;
  }

  static std::vector<double> channels_last(const OnnxValues& nchw) {
    std::vector<double> values;
    const OnnxShape& shape = nchw.shape;
    const std::int64_t pixels = shape[2] * shape[3];
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
        for (std::int64_t c = 0; c < shape[1]; ++c) {
          values.push_back(nchw.values[static_cast<std::size_t>((n * shape[1] + c) * pixels + pixel)]);
        }
      }
    }
    return values;
  }

  static double off(const std::vector<float>& right, const std::vector<double>& made) {
    EXPECT_EQ(right.size(), made.size());
    double largest = 0, worst = 0;
    for (std::size_t i = 0; i < std::min(right.size(), made.size()); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(right[i])));
      worst = std::max(worst, std::abs(static_cast<double>(right[i]) - made[i]));
    }
    EXPECT_GT(largest, 0.0);
    return worst / largest;
  }

  // As `duel generate` rounds them; where a number lies between two levels, either.
  static void expect_pixels(const std::vector<float>& values, const OnnxValues& pixels) {
    ASSERT_EQ(values.size(), pixels.values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double level = std::clamp((static_cast<double>(values[i]) + 1) * 127.5, 0.0, 255.0);
      ASSERT_NEAR(pixels.values[i], level, 0.5 + 1e-2);
      ASSERT_EQ(pixels.values[i], std::floor(pixels.values[i]));
    }
  }

  std::mt19937 random_{7};
  Context context_ = Context::cpu(1);
  std::unique_ptr<Recipe> recipe_;
  Networks networks_;
  Sampling sampling_;
  StateMemory state_;
  Storage storage_;
};

Options options_of(const std::string& preset) {
  Options options = preset == "vae" ? small_vae_options() : small_options(preset);
  options.data.synthetic_channels = 3;
  if (preset == "enlarge" || preset == "repair") {
    options.data.synthetic_height = options.data.synthetic_width = 8;
    options.data.size = "auto";
    options.data.crop = 8;
    options.data.degrade = preset == "enlarge" ? "x2" : "hole:3";
    options.model.filters = 4;
    options.model.blocks = 1;
    options.model.encoder_blocks = options.model.decoder_blocks = {1};
  } else if (preset == "pix2pix" || preset == "inpaint" || preset == "enlarge-crisp") {
    options.data.synthetic_height = options.data.synthetic_width = 24;
    options.data.size = "auto";
    options.data.crop = 24;
    options.data.degrade = preset == "inpaint" ? "hole:3" : options.data.degrade;
    options.model.filters = options.model.adversary_filters = 2;
    options.model.blocks = 1;
    options.model.encoder_blocks = options.model.decoder_blocks = {1};
  } else if (preset == "dcgan" || preset == "sagan") {
    options.data.synthetic_height = 16;  // halved twice, so that there is attention in both networks
    options.data.synthetic_width = 16;
    options.model.filters = 8;
  } else if (preset != "vae") {
    options.data.synthetic_width = preset == "classic" || preset == "classify" ? 5 : 12;
  }
  return options;
}

class EveryPreset : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryPreset, AGraphMakesWhatTheEngineMakes) {
  const Options options = options_of(GetParam());
  Model model(options);
  for (const int rows : {1, 4}) {
    EXPECT_LT(model.difference(with_class_numbers(model.sampling()), rows), 2e-5);
  }
  for (const auto& [name, sampling] : make_recipe(options, fields_of(small_dataset(options)), 40)->single_networks()) {
    Model single(options, name);
    EXPECT_LT(single.difference(with_class_numbers(single.sampling()), 3), 2e-5) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Onnx, EveryPreset,
                         ::testing::Values("classic", "steady", "conv-steady", "photographs", "dcgan", "sagan",
                                           "residual", "vae", "classify", "enlarge", "repair", "pix2pix", "inpaint",
                                           "enlarge-crisp"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Operators by themselves, from rows x [rows,5,6,4] and weights that are bound.
class SingleOperators {
public:
  using Record = std::function<Value(Program&, Value x)>;

  Value weight(Program& program, const Shape& shape) {
    const std::string name = fmt::format("weight{}", to_string(shape));
    if (weights_.count(name) == 0) {
      Buffer& buffer =
          weights_.emplace(name, Buffer(context_, static_cast<std::size_t>(4 * shape.count()))).first->second;
      upload<float>(context_, buffer.view(shape, DType::f32), random_numbers(shape.count()));
      storage_.add(name, buffer.view(shape, DType::f32));
    }
    return program.bind(name, shape, DType::f32);
  }

  // The largest difference between the engine's numbers and the graph's.
  double difference(const Record& record) {
    constexpr int kRows = 3;
    Sampling sampling;
    sampling.inputs = {field("x", {1, 5, 6, 4})};
    sampling.record = [&](Program& program, const Sampling::Run&, std::span<const Value> inputs) {
      return std::vector<Value>{record(program, inputs[0])};
    };
    Program shapes;
    const Value y = record(shapes, shapes.bind("input/x", {1, 5, 6, 4}, DType::f32));
    sampling.outputs = {field("y", shapes.shape(y))};
    const std::vector<float> x = random_numbers(kRows * 5 * 6 * 4);
    const SamplingModel model{sampling, networks_, storage_};
    const std::array rows = {std::as_bytes(std::span(x))};
    const std::vector<float> right = RowSampler(context_, model, Block::master).run(context_, rows)[0];
    const OnnxGraph graph = make_onnx_graph("operator", PortableProgram(context_, model, Block::master), sampling);
    const OnnxValues made = OnnxInterpreter(graph).run({{"x", {{kRows, 5, 6, 4}, {x.begin(), x.end()}}}}).at("y");
    EXPECT_EQ(made.values.size(), right.size());
    double worst = 0;
    for (std::size_t i = 0; i < std::min(right.size(), made.values.size()); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(right[i]) - made.values[i]));
    }
    return worst;
  }

private:
  static Field field(const std::string& name, const Shape& shape) {
    Field field;
    field.name = name;
    field.kind = FieldKind::vector;
    field.shape = shape;
    field.dtype = DType::f32;
    return field;
  }

  std::vector<float> random_numbers(std::int64_t count) {
    std::vector<float> numbers(static_cast<std::size_t>(count));
    std::generate(numbers.begin(), numbers.end(),
                  [&] { return std::uniform_real_distribution<float>(0.1F, 1)(random_); });
    return numbers;
  }

  std::mt19937 random_{3};
  Context context_ = Context::cpu(1);
  Networks networks_;
  Storage storage_;
  std::map<std::string, Buffer> weights_;
};

TEST(OnnxForms, OfPictures) {
  SingleOperators one;
  const auto expect_same = [&](const char* name, const SingleOperators::Record& record) {
    EXPECT_LT(one.difference(record), 2e-5) << name;
  };
  const Conv2d uneven{2, 1, 2, 0, 1, 2};  // stride 2, other padding at each side, two groups
  expect_same("conv2d", [&](Program& p, Value x) { return ops::conv2d(p, uneven, x, one.weight(p, {6, 3, 2, 2})); });
  // Of 5 rows and 6 columns enlarged there is one more of both than the strides reach.
  const Conv2d halving{2, 1, 1, 1, 1, 2};
  expect_same("transposed", [&](Program& p, Value x) {
    return ops::conv2d_backward_input(p, halving, x, one.weight(p, {4, 3, 3, 3}), {p.shape(x)[0], 10, 12, 6},
                                      DType::f32);
  });
  for (const Resample2d& filter :
       {nearest_up(), bilinear_up(), adjoint(bicubic_down()), Resample2d(2, 1, 1, {0.1F, 0.5F, 0.9F})}) {
    expect_same("enlarged", [&](Program& p, Value x) { return ops::resample2d(p, filter, x, 10, 12); });
  }
  for (const Resample2d& filter :
       {area_down(), bilinear_down(), bicubic_down(), Resample2d(1, 2, 1, {0.1F, 0.5F, 0.9F})}) {
    expect_same("reduced", [&](Program& p, Value x) { return ops::resample2d(p, filter, x, 2, 3); });
  }
  expect_same("columns", [&](Program& p, Value x) {
    const Value y = ops::conv2d(p, Conv2d::same(3), x, one.weight(p, {2, 3, 3, 4}));
    return ops::slice_columns(p, ops::concat_columns(p, y, x), 1, 4);
  });
  for (const GroupNorm& norm : {GroupNorm{1, true}, {2, false}, {4, false}}) {
    expect_same("group_norm", [&](Program& p, Value x) {
      const Value y = ops::conv2d(p, Conv2d::same(3), x, one.weight(p, {4, 3, 3, 4}));
      const Value z = ops::group_norm(p, norm, y, one.weight(p, {4}), one.weight(p, {4})).y;
      return ops::add(p, z, ops::group_norm(p, norm, y).y);
    });
  }
  for (const PadKind kind : {PadKind::edge, PadKind::reflect}) {
    expect_same("pad2d", [&](Program& p, Value x) { return ops::pad2d(p, {kind, 2, 1, 0, 3}, x); });
  }
  for (const GridEdge edge : {GridEdge::zeros, GridEdge::border}) {
    expect_same("grid_sample", [&](Program& p, Value x) {
      const Value y = ops::conv2d(p, Conv2d::same(3), x, one.weight(p, {2, 3, 3, 4}));
      return ops::grid_sample(p, {edge}, x, ops::affine(p, y, 0.7, -2.2));
    });
  }
  expect_same("gate", [&](Program& p, Value x) {
    return ops::gate(p, ops::conv2d(p, Conv2d::same(3), ops::affine(p, x, 0.1), one.weight(p, {6, 3, 3, 4})));
  });
  expect_same("permute", [&](Program& p, Value x) { return ops::permute(p, x, {{0, 3, 1, 2}}); });
  expect_same("pixel_shuffle", [&](Program& p, Value x) {
    const Value small = ops::affine(p, x, 0.1);
    const Value y = ops::pixel_shuffle(p, ops::conv2d(p, Conv2d::same(3), small, one.weight(p, {18, 3, 3, 4})), 3);
    return ops::pixel_unshuffle(p, ops::conv2d(p, Conv2d::same(3), y, one.weight(p, {2, 3, 3, 2})), 3);
  });
  expect_same("bias", [&](Program& p, Value x) {
    const Value y = ops::bias_act(p, {ActivationKind::leaky_relu, 0.3F}, ops::resample2d(p, area_down(), x, 2, 3),
                                  one.weight(p, {4}));
    return ops::add(p, y, ops::bias_act(p, {ActivationKind::sigmoid}, y, one.weight(p, {4})));
  });
}

TEST(OnnxForms, OfSums) {
  SingleOperators one;
  for (const Axes axes : {Axes::all, Axes::each_row, Axes::each_column, Axes::each_row_and_column}) {
    for (const bool is_picture : {true, false}) {
      EXPECT_LT(one.difference([&](Program& p, Value x) {
        const Shape shape = is_picture ? p.shape(x) : Shape{p.shape(x)[0], 120};
        const Value y = is_picture ? ops::conv2d(p, {}, x, one.weight(p, {4, 1, 1, 4})) : p.reshape(x, shape);
        return ops::broadcast(p, {axes, 0.5F}, ops::reduce_sum(p, {axes, 0.01F}, y), shape, DType::f32);
      }),
                2e-5)
          << name_of(axes) << is_picture;
    }
  }
}

TEST(OnnxForms, OfNumbersAndMatrices) {
  SingleOperators one;
  for (const UnaryKind kind : kUnaryKinds) {
    if (kind == UnaryKind::positive) {
      continue;  // which has no form
    }
    EXPECT_LT(one.difference([&](Program& p, Value x) { return ops::affine(p, ops::unary(p, kind, x), -2, 0.25); }),
              2e-5)
        << name_of(kind);
  }
  EXPECT_LT(one.difference([&](Program& p, Value x) { return ops::clamp(p, ops::affine(p, x, 3, -1), -0.5, 1); }),
            2e-5);
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      EXPECT_LT(one.difference([&](Program& p, Value x) {
        const int rows = p.shape(x)[0];
        const Value left = p.reshape(x, a ? Shape{rows, 6, 20} : Shape{rows, 20, 6});
        const Value right = p.reshape(x, b ? Shape{rows, 20, 6} : Shape{rows, 6, 20});
        return ops::softmax(p, ops::batched_matmul(p, {a, b}, left, right, DType::f32));
      }),
                2e-5);
    }
    EXPECT_LT(one.difference([&](Program& p, Value x) {
      const Value flat = p.reshape(x, {p.shape(x)[0], 120});
      return ops::matmul(p, {false, a, {ActivationKind::tanh}}, flat, one.weight(p, a ? Shape{7, 120} : Shape{120, 7}),
                         DType::f32);
    }),
              2e-5);
  }
}

TEST(Onnx, SharesOfClassesAreTaken) {
  Model model(options_of("conv-steady"));
  EXPECT_LT(model.difference(model.sampling(), 4), 2e-5);
  const OnnxGraph graph = model.graph(model.sampling());
  EXPECT_EQ(graph.inputs.at(1).type, OnnxType::f32);
  EXPECT_EQ(graph.inputs.at(1).shape,
            (OnnxShape{kBatchExtent, static_cast<std::int64_t>(model.sampling().inputs[1].names.size())}));
}

const OnnxTensor* weight_of(const OnnxGraph& graph, const std::string& name) {
  const auto found = std::find_if(graph.initializers.begin(), graph.initializers.end(),
                                  [&](const OnnxTensor& tensor) { return tensor.name == name; });
  return found == graph.initializers.end() ? nullptr : &*found;
}

void expect_weight(const OnnxGraph& graph, const std::string& name, const OnnxShape& shape) {
  const OnnxTensor* weight = weight_of(graph, name);
  ASSERT_NE(weight, nullptr) << name;
  EXPECT_TRUE(weight->is_weight) << name;
  EXPECT_EQ(weight->shape, shape) << name;
}

int count_of(const OnnxGraph& graph, const std::string& op) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const OnnxNode& node) { return node.op == op; }));
}

TEST(Onnx, AGeneratorsGraph) {
  const OnnxGraph graph = Model(options_of("conv-steady")).graph();  // 8x12x3 from 5 latents, 3 filters
  ASSERT_EQ(graph.inputs.size(), 2U);
  EXPECT_EQ(graph.inputs[0].name, "latents");
  EXPECT_EQ(graph.inputs[0].shape, (OnnxShape{kBatchExtent, 5}));
  EXPECT_EQ(graph.inputs[1].name, "classes");
  EXPECT_EQ(graph.inputs[1].type, OnnxType::i64);
  EXPECT_EQ(graph.inputs[1].shape, (OnnxShape{kBatchExtent}));
  ASSERT_EQ(graph.outputs.size(), 2U);
  EXPECT_EQ(graph.outputs[0].name, "pictures");
  EXPECT_EQ(graph.outputs[0].type, OnnxType::u8);
  EXPECT_EQ(graph.outputs[0].shape, (OnnxShape{kBatchExtent, 8, 12, 3}));
  EXPECT_EQ(graph.outputs[1].name, "pictures_nchw");
  EXPECT_EQ(graph.outputs[1].type, OnnxType::f32);
  EXPECT_EQ(graph.outputs[1].shape, (OnnxShape{kBatchExtent, 3, 8, 12}));
  expect_weight(graph, "generator/dense/weight", {2 * 3 * 12, 10});  // [outputs,inputs]
  expect_weight(graph, "generator/up1/weight", {12, 6, 4, 4});       // [inputs,outputs,R,S]
  expect_weight(graph, "generator/last/weight", {3, 3, 3, 3});
  expect_weight(graph, "generator/last/bias", {3});
  // From the dense layer's rows, and to the pictures in the order of pixels.
  EXPECT_EQ(count_of(graph, "Transpose"), 2);
  EXPECT_EQ(count_of(graph, "ConvTranspose"), 2);
  EXPECT_EQ(count_of(graph, "Add"), 2);  // for pixels; each bias is its convolution's
  std::set<std::string> names;
  for (const OnnxNode& node : graph.nodes) {
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
  }
}

TEST(Onnx, RunningStatisticsAreWeights) {
  const OnnxGraph graph = Model(options_of("dcgan")).graph();
  for (const char* name : {"gamma", "beta", "running_mean", "running_variance"}) {
    expect_weight(graph, fmt::format("generator/up1/norm/{}", name), {8});
  }
}

TEST(Onnx, SpectralNormIsInTheWeights) {
  const OnnxGraph graph = Model(options_of("sagan"), "discriminator").graph();
  expect_weight(graph, "discriminator/conv1/weight", {8, 3, 4, 4});
  expect_weight(graph, "discriminator/last/weight", {1, 4 * 4 * 16});
  for (const OnnxTensor& tensor : graph.initializers) {
    EXPECT_EQ(tensor.name.find("/u"), std::string::npos) << tensor.name;  // the vectors of the power iteration
  }
}

TEST(Onnx, AnOperatorWithoutAFormIsNamed) {
  Context context = Context::cpu(1);
  const Networks networks;
  const Storage storage;
  Sampling sampling;
  Field field;
  field.name = "latent";
  field.kind = FieldKind::vector;
  field.shape = {1, 4};
  field.dtype = DType::f32;
  sampling.inputs = sampling.outputs = {field};
  sampling.record = [](Program& program, const Sampling::Run&, std::span<const Value> inputs) {
    const Program::Scope scope(program, "thresholds");
    return std::vector<Value>{ops::unary(program, UnaryKind::positive, inputs[0])};
  };
  const PortableProgram portable(context, {sampling, networks, storage}, Block::master);
  try {
    make_onnx_graph("model", portable, sampling);
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_STREQ(
        error.what(),
        "export: the operator positive has no form in ONNX, so the network that \"thresholds\" belongs to cannot be "
        "exported");
  }
}

TEST(Onnx, AFileSaysWhatItIs) {
  const OnnxGraph graph = Model(options_of("classic")).graph();
  const std::string file = to_onnx(graph, {{"preset", "classic"}}, "9.8.7");
  EXPECT_EQ(file, to_onnx(graph, {{"preset", "classic"}}, "9.8.7"));
  EXPECT_EQ(file.substr(0, 2), "\x08\x08");                     // IR version 8, the first field
  EXPECT_NE(file.find("\x42\x02\x10\x11"), std::string::npos);  // operator set 17
  for (const char* text : {"9.8.7", "preset", "generator/dense1/weight", "pictures_nchw", "batch"}) {
    EXPECT_NE(file.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace duel::test
