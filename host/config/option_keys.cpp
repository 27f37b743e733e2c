// The rows, and what each kind of option allows and looks like in TOML.
#include "host/config/option_keys.h"

#include "host/config/device_name.h"
#include "host/config/edit_distance.h"
#include "host/config/picture_options.h"
#include "host/config/preset_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace duel {
namespace {

template <auto... path>
using member_type = std::remove_cvref_t<decltype((std::declval<Options&>().*....*path))>;

// A path of members, such as <&Options::train, &Options::Train::batch>, as a pair of accessors.
template <auto... path>
constexpr auto field() {
  using T = member_type<path...>;
  return OptionField<T>{[](const Options& options) -> const T& { return (options.*....*path); },
                        [](Options& options) -> T& { return (options.*....*path); }};
}

template <auto... path, class T = member_type<path...>>
constexpr IntegerOption<T> integer(std::type_identity_t<T> low, std::type_identity_t<T> high,
                                   std::type_identity_t<T> stride = 1) {
  return {field<path...>(), low, high, stride};
}

template <auto... path>
constexpr RealOption real(double low, double high) {
  return {field<path...>(), low, high};
}

template <auto... path>
constexpr RealOption real_below(double low, double high) {
  return {field<path...>(), low, high, true};
}

template <auto... path>
constexpr ScheduledOption scheduled(double low, double high) {
  return {field<path...>(), {low, high}};
}

template <auto... path>
constexpr ScheduledOption decay(bool is_of_average) {
  return {field<path...>(), {0, 1, true, is_of_average}};
}

template <auto... path>
constexpr FlagOption flag() {
  return {field<path...>()};
}

template <auto... path>
WordOption word(std::vector<std::string_view> words) {
  return {field<path...>(), std::move(words)};
}

template <auto... path>
constexpr WidthsOption widths() {
  return {field<path...>(), 1, 65536, 32};
}

std::vector<OptionKey> make_keys() {
  using O = Options;
  constexpr int kAnyInterval = 1'000'000'000;
  const std::vector<std::string_view> activations = {"relu", "leaky_relu", "tanh", "sigmoid"};
  return {
      {"preset", word<&O::preset>(preset_names()), "the named set of values that the others start from"},
      {"recipe", word<&O::recipe>({"gan", "classify", "vae", "restore", "cut", "cyclegan", "tryon"}),
       "what is trained: gan, a generator against a discriminator; classify, a network that names pictures' classes; "
       "vae, an encoder with a decoder; restore, a network that makes pictures of spoilt ones; cut and cyclegan, "
       "pictures of one kind made of pictures of another, without pairs, in one direction or in both; tryon, networks "
       "that lay a garment on a person"},
      {"seed", integer<&O::seed>(0, std::numeric_limits<std::uint64_t>::max()),
       "of the weights, the noise and the order of the pictures; from 2^63 on write it in quotes"},
      {"precision", word<&O::precision>({"fp32", "tf32", "bf16"}),
       "storage of activations and compute weights; tf32: fp32 with products rounded to TF32, on GPUs"},
      {"device", DeviceOption{field<&O::device>()}, "where the operators run; auto: a GPU where there is one"},
      {"threads", integer<&O::threads>(0, 4096),
       "CPU threads; 0: the processors of this process, but no more than its CPU quota and OMP_NUM_THREADS"},

      {"kernels", word<&O::kernels>({"auto", "ours", "vendor"}),
       "whose matrix products and convolutions: the quickest, measured once for each shape; ours; or the libraries'"},

      {"data.source", TextOption{field<&O::data, &O::Data::source>()},
       "fashion-mnist, synthetic, or a folder of photographs, of IDX files or of try-on pairs"},
      {"data.labels", flag<&O::data, &O::Data::labels>(),
       "whether pictures are learnt by class, where there are labels"},
      {"data.synthetic_count", integer<&O::data, &O::Data::synthetic_count>(1, 16'777'216),
       "pictures of the synthetic set"},
      {"data.synthetic_height", integer<&O::data, &O::Data::synthetic_height>(1, 1024), "their height in pixels"},
      {"data.synthetic_width", integer<&O::data, &O::Data::synthetic_width>(1, 1024), "their width in pixels"},
      {"data.synthetic_channels", integer<&O::data, &O::Data::synthetic_channels>(1, 4),
       "1: grey, 3: red, green and blue; 2 and 4: the same with opacity"},
      {"data.size",
       PatternOption{field<&O::data, &O::Data::size>(),
                     [](std::string_view text) { return text == "auto" || picture_extents(text).has_value(); },
                     "auto, or WxH with sides from 1 to 1024"},
       "of photographs: what they are brought to, in pixels; auto: 64x64"},
      {"data.fit", word<&O::data, &O::Data::fit>({"cover", "contain", "pad"}),
       "of photographs: cover fills the size and cuts what is beside it; contain shows all, with bars; pad does not "
       "enlarge"},
      {"data.background",
       PatternOption{field<&O::data, &O::Data::background>(),
                     [](std::string_view text) { return text == "auto" || colour_of_digits(text).has_value(); },
                     "auto, or RRGGBB"},
       "of photographs: the colour of bars and behind transparency; auto: that of the picture's own border"},
      {"data.alpha", word<&O::data, &O::Data::alpha>({"flatten", "keep"}),
       "of photographs: laid on the background, or kept as a fourth channel"},
      {"data.colour", word<&O::data, &O::Data::colour>({"auto", "grey", "colour"}),
       "of photographs: one channel or three; auto: grey where all files are"},
      {"data.held_out", integer<&O::data, &O::Data::held_out>(0, 90),
       "of photographs: percent that are never trained on, to measure on; chosen by their names"},
      {"data.target", word<&O::data, &O::Data::target>({"label", "attributes"}),
       "of recipe classify: label, the class of each picture; or attributes, the further columns of a table "
       "labels.csv, "
       "as tags"},
      {"data.degrade", TextOption{field<&O::data, &O::Data::degrade>()},
       "what pictures are spoilt by, for a network to restore: none, x2, x4, noise:S or noise:S-S, blur:S, motion:N, "
       "jpeg:Q, hole:N, strokes, grey, edges"},
      {"data.pairs", TextOption{field<&O::data, &O::Data::pairs>()},
       "a folder with what each photograph is to be made of, by the same names; none"},
      {"data.crop", integer<&O::data, &O::Data::crop>(0, 1024),
       "of recipe restore: the side in pixels of the parts of pictures that it is trained on; 0: whole pictures"},
      {"data.into", TextOption{field<&O::data, &O::Data::into>()},
       "of recipes cut and cyclegan: pictures of the kind that those of data.source are to become, named as that is; "
       "none"},

      {"model.networks", word<&O::model, &O::Model::networks>({"classic", "conv-steady", "dcgan", "residual", "sagan"}),
       "of recipe gan: dense generator; transposed against strided convolutions (three); residual blocks in groups of "
       "channels"},
      {"model.latent", integer<&O::model, &O::Model::latent>(1, 65536), "numbers in a latent vector"},
      {"model.filters", integer<&O::model, &O::Model::filters>(1, 4096),
       "of conv-steady and other convolutional networks: channels of their largest pictures"},
      {"model.blocks", integer<&O::model, &O::Model::blocks>(1, 100),
       "of recipe classify and of networks residual: residual blocks of each stage; of cut and cyclegan: of a "
       "generator"},
      {"model.stages", integer<&O::model, &O::Model::stages>(1, 8),
       "of recipe classify: groups of residual blocks; from the second on each halves the picture and doubles the "
       "channels"},
      {"model.stem_stride", integer<&O::model, &O::Model::stem_stride>(1, 2),
       "of recipe classify: stride of the first convolution; 2 halves the picture before the first stage"},
      {"model.features", integer<&O::model, &O::Model::features>(1, 65536),
       "of conv-steady: numbers by which the discriminator judges a picture; of cut: by which places are compared"},
      {"model.generator_widths", widths<&O::model, &O::Model::generator_widths>(),
       "the generator's hidden dense layers, from the latent on"},
      {"model.generator_activation", word<&O::model, &O::Model::generator_activation>(activations),
       "after each of the generator's hidden layers"},
      {"model.discriminator_channels", widths<&O::model, &O::Model::discriminator_channels>(),
       "output channels of the discriminator's convolutions"},
      {"model.discriminator_kernel", integer<&O::model, &O::Model::discriminator_kernel>(1, 15, 2),
       "filter extent of those convolutions"},
      {"model.discriminator_widths", widths<&O::model, &O::Model::discriminator_widths>(),
       "the discriminator's hidden dense layers, after the convolutions"},
      {"model.discriminator_activation", word<&O::model, &O::Model::discriminator_activation>(activations),
       "after each of the discriminator's hidden layers"},
      {"model.leaky_slope", real<&O::model, &O::Model::leaky_slope>(0, 1), "slope of leaky_relu below zero"},
      {"model.widths", widths<&O::model, &O::Model::widths>(),
       "of networks residual: channels of each stage, multiples of 8; the first is of the smallest pictures, the next "
       "twice as large"},
      {"model.restorer", word<&O::model, &O::Model::restorer>({"msr-resnet", "nafnet", "unet"}),
       "of recipe restore: residual blocks and an enlargement; or of one size a U of blocks without activations, or a "
       "U "
       "of strided convolutions down to very few pixels"},
      {"model.encoder_blocks", widths<&O::model, &O::Model::encoder_blocks>(),
       "of nafnet: blocks of each level on the way down, each halves the picture and doubles the channels"},
      {"model.middle_blocks", integer<&O::model, &O::Model::middle_blocks>(0, 1000),
       "of nafnet: of the smallest level"},
      {"model.decoder_blocks", widths<&O::model, &O::Model::decoder_blocks>(),
       "of nafnet: blocks of each level on the way up; as many levels as down"},
      {"model.adversary", word<&O::model, &O::Model::adversary>({"patch", "unet"}),
       "of recipe restore with loss.adversary: a discriminator of patches, or of pixels, spectrally normalised"},
      {"model.adversary_filters", integer<&O::model, &O::Model::adversary_filters>(1, 4096), "of its first layer"},
      {"model.adversary_norm", word<&O::model, &O::Model::adversary_norm>({"none", "instance"}),
       "of that of patches: whether it normalises each channel of each picture"},

      {"loss.kind", word<&O::loss, &O::Loss::kind>({"bce", "lsgan", "hinge", "relativistic", "wgan"}),
       "what the two networks play for"},
      {"loss.r1", scheduled<&O::loss, &O::Loss::r1>(0, 1e6), "gamma of the R1 penalty on real pictures; 0: off"},
      {"loss.r2", scheduled<&O::loss, &O::Loss::r2>(0, 1e6), "gamma of the R2 penalty on generated pictures; 0: off"},
      {"loss.gradient_penalty", scheduled<&O::loss, &O::Loss::gradient_penalty>(0, 1e6),
       "lambda of the WGAN-GP penalty on mixed pictures; 0: off"},
      {"loss.penalty_every", integer<&O::loss, &O::Loss::penalty_every>(1, 64),
       "steps between penalties, which weigh as much more then: lazy regularisation"},
      {"loss.label_smoothing", real_below<&O::loss, &O::Loss::label_smoothing>(0, 1),
       "of recipe classify: the share of each target that all classes get alike"},
      {"loss.restoration", word<&O::loss, &O::Loss::restoration>({"l1", "psnr"}),
       "of recipe restore: the mean difference, or the mean over pictures of minus their PSNR"},
      {"loss.restoration_weight", real<&O::loss, &O::Loss::restoration_weight>(0, 1e6), "what that is multiplied by"},
      {"loss.adversary", scheduled<&O::loss, &O::Loss::adversary>(0, 1e6),
       "of recipe restore: the weight, beside that, of what a discriminator says of the made picture beside the input; "
       "0: there is none"},
      {"loss.cycle", real<&O::loss, &O::Loss::cycle>(0, 1e6),
       "of recipe cyclegan: what pictures lose on the way there and back weighs"},
      {"loss.contrast", real<&O::loss, &O::Loss::contrast>(0, 1e6),
       "of recipe cut: what places weigh that are not told from the others of their picture"},
      {"loss.identity", real<&O::loss, &O::Loss::identity>(0, 1e6),
       "of cut and cyclegan: what is lost by changing pictures of the other kind, as a share of loss.contrast or "
       "loss.cycle; 0: off"},
      {"loss.places", integer<&O::loss, &O::Loss::places>(1, 4096),
       "of recipe cut: places of a picture that are compared, at most, at each of its maps"},
      {"loss.temperature", real<&O::loss, &O::Loss::temperature>(0.03, 10),
       "of recipe cut: what the likeness of two places is divided by"},

      {"perceptual.run", TextOption{field<&O::perceptual, &O::Perceptual::run>()},
       "of recipe restore: a run of recipe classify, whose features of the made picture shall be those of the true "
       "one; "
       "its weights are copied; none"},
      {"perceptual.weight", scheduled<&O::perceptual, &O::Perceptual::weight>(0, 1e6),
       "what the distance between these features weighs"},
      {"perceptual.channels", integer<&O::perceptual, &O::Perceptual::channels>(0, 4),
       "this and what follows describe that classifier; 0: as its run says"},
      {"perceptual.classes", integer<&O::perceptual, &O::Perceptual::classes>(0, 1'000'000), "of the classifier"},
      {"perceptual.filters", integer<&O::perceptual, &O::Perceptual::filters>(0, 65536), "of the classifier"},
      {"perceptual.blocks", integer<&O::perceptual, &O::Perceptual::blocks>(0, 64), "of the classifier"},
      {"perceptual.stages", integer<&O::perceptual, &O::Perceptual::stages>(0, 8), "of the classifier"},
      {"perceptual.stem_stride", integer<&O::perceptual, &O::Perceptual::stem_stride>(0, 16), "of the classifier"},

      {"optimizer.learning_rate", scheduled<&O::optimizer, &O::Optimizer::learning_rate>(0, 10),
       "of recipes with one optimiser; of the others each network has its own"},
      {"optimizer.generator_learning_rate", scheduled<&O::optimizer, &O::Optimizer::generator_learning_rate>(0, 1),
       "Adam's step of the generator"},
      {"optimizer.discriminator_learning_rate",
       scheduled<&O::optimizer, &O::Optimizer::discriminator_learning_rate>(0, 1), "Adam's step of the discriminator"},
      {"optimizer.beta1", real_below<&O::optimizer, &O::Optimizer::beta1>(0, 1), "Adam's decay of the mean"},
      {"optimizer.beta2", decay<&O::optimizer, &O::Optimizer::beta2>(false), "Adam's decay of the square"},
      {"optimizer.epsilon", real<&O::optimizer, &O::Optimizer::epsilon>(1e-20, 1), "what Adam adds to the root"},
      {"optimizer.clip_norm", real<&O::optimizer, &O::Optimizer::clip_norm>(0, 1e9),
       "global norm at which gradients are clipped; 0: off"},
      {"optimizer.ema_decay", decay<&O::optimizer, &O::Optimizer::ema_decay>(true),
       "of the generator's moving average, per step"},
      {"optimizer.weight_decay", real<&O::optimizer, &O::Optimizer::weight_decay>(0, 1),
       "AdamW: the share of each weight that is taken off a step, times the learning rate; 0: Adam"},
      {"optimizer.d_updates", integer<&O::optimizer, &O::Optimizer::d_updates>(1, 16),
       "updates of the discriminator in a step, each on a batch of its own"},

      {"train.batch", integer<&O::train, &O::Train::batch>(1, 65536), "pictures in a step"},
      {"train.epochs", integer<&O::train, &O::Train::epochs>(1, 1'000'000), "passes over the pictures"},
      {"train.steps", integer<&O::train, &O::Train::steps>(0, 1'000'000'000'000),
       "steps in all; 0: epochs * (pictures / batch)"},
      {"train.evaluate_every", integer<&O::train, &O::Train::evaluate_every>(0, kAnyInterval),
       "steps between measurements on held-out rows, of recipes that make any; 0: only at the end"},
      {"train.on_nonfinite", word<&O::train, &O::Train::on_nonfinite>({"stop", "rollback"}),
       "where a loss or gradient is not finite: stop with exit code 5; or go on from the last checkpoint with half the "
       "learning rates, at most three times"},

      {"evaluate.every", integer<&O::evaluate, &O::Evaluate::every>(0, kAnyInterval),
       "steps between evaluations of generated pictures, and at the end; 0: none"},
      {"evaluate.extractor", TextOption{field<&O::evaluate, &O::Evaluate::extractor>()},
       "what makes the features that are compared: classifier:RUN, onnx:FILE, pixels, or auto: a classifier is "
       "trained, once"},
      {"evaluate.count", integer<&O::evaluate, &O::Evaluate::count>(2, 10'000'000),
       "pictures that are compared at most, generated and real"},
      {"evaluate.keep_best", word<&O::evaluate, &O::Evaluate::keep_best>({"none", "kid", "frechet"}),
       "by which of the distances the best checkpoint is kept, whatever output.keep_last says"},
      {"evaluate.stop_when", word<&O::evaluate, &O::Evaluate::stop_when>({"never", "plateau"}),
       "plateau: the run ends where evaluate.patience evaluations in turn have found no new best"},
      {"evaluate.patience", integer<&O::evaluate, &O::Evaluate::patience>(1, 1'000'000),
       "of plateau: evaluations without a new best"},

      {"augment.shift", integer<&O::augment, &O::Augment::shift>(0, 1024),
       "of recipe classify: pixels by which each picture of each step is moved at most; its border is repeated"},
      {"augment.flip", flag<&O::augment, &O::Augment::flip>(),
       "mirrors one picture in two; of recipe gan, of the real ones: mirrored pictures are then generated too"},
      {"augment.turn", flag<&O::augment, &O::Augment::turn>(),
       "of recipe restore: turns one picture in two by a quarter, and one in two upside down"},
      {"augment.policy", word<&O::augment, &O::Augment::policy>({"none", "product", "full"}),
       "what pictures go through before a discriminator, real and generated ones, or a classifier: product, moves, "
       "holes, "
       "brightness, saturation and contrast; full, the same more strongly, and mirroring"},
      {"augment.probability", scheduled<&O::augment, &O::Augment::probability>(0, 1),
       "with which each of these changes is made to a picture; above 0.8 generated pictures may show them"},
      {"augment.adaptive", flag<&O::augment, &O::Augment::adaptive>(),
       "from that number on the probability follows how surely the discriminator knows real pictures"},
      {"augment.target", real<&O::augment, &O::Augment::target>(-1, 1),
       "of adaptive: the mean sign of its judgement of real pictures at which the probability stays"},

      {"schedule.residency", word<&O::schedule, &O::Schedule::residency>({"auto", "device", "stream"}),
       "where the pictures lie: uploaded once, or brought batch by batch; auto: on the device where they fit"},
      {"schedule.launch", word<&O::schedule, &O::Schedule::launch>({"graph", "eager"}),
       "on a GPU: steps captured once and replayed, or operator by operator; the same bytes"},
      {"schedule.steps_per_launch", integer<&O::schedule, &O::Schedule::steps_per_launch>(0, 16),
       "steps that a GPU is given at once; 0: measured"},
      {"schedule.lanes", integer<&O::schedule, &O::Schedule::lanes>(0, 2),
       "on a GPU: 2 runs independent operators of a step side by side, 1 one behind the other; 0: measured"},
      {"schedule.memory", word<&O::schedule, &O::Schedule::memory>({"check", "ignore"}),
       "training that needs more memory than is free: refused, or tried anyway"},

      {"output.log_every", integer<&O::output, &O::Output::log_every>(1, kAnyInterval),
       "steps between lines in log.txt and on a plain terminal"},
      {"output.metrics_every", integer<&O::output, &O::Output::metrics_every>(1, kAnyInterval),
       "steps between rows of metrics.jsonl and TensorBoard"},
      {"output.samples_every", integer<&O::output, &O::Output::samples_every>(0, kAnyInterval),
       "steps between sample sheets; 0: only at the end"},
      {"output.checkpoint_every", integer<&O::output, &O::Output::checkpoint_every>(0, kAnyInterval),
       "steps between checkpoints; 0: only at the end"},
      {"output.keep_last", integer<&O::output, &O::Output::keep_last>(0, kAnyInterval),
       "checkpoints kept besides those of keep_every; 0: all"},
      {"output.keep_every", integer<&O::output, &O::Output::keep_every>(0, kAnyInterval),
       "every N-th step's checkpoint is kept for ever; 0: none"},
      {"output.sample_rows", integer<&O::output, &O::Output::sample_rows>(1, 64), "rows of a sample sheet"},
      {"output.sample_columns", integer<&O::output, &O::Output::sample_columns>(1, 64), "columns of a sample sheet"},
  };
}

template <class T>
std::string allowed(const IntegerOption<T>& kind) {
  if (kind.stride == 1) {
    return fmt::format("an integer from {} to {}", kind.low, kind.high);
  }
  std::string text = fmt::format("{}", kind.low);
  for (T value = kind.low + kind.stride; value <= kind.high; value += kind.stride) {
    text += fmt::format("{}{}", value == kind.high ? " or " : ", ", value);
  }
  return text;
}

std::string allowed(const RealOption& kind) {
  return fmt::format("a number from {} to {}{}", kind.low, kind.below_high ? "below " : "", kind.high);
}

std::string allowed(const ScheduledOption& kind) {
  return fmt::format("a number from {} to {}{}, or a schedule of such numbers", kind.range.low,
                     kind.range.below_high ? "below " : "", kind.range.high);
}

std::string allowed(const FlagOption&) {
  return "true or false";
}

std::string allowed(const WordOption& kind) {
  if (kind.words.size() == 1) {
    return std::string(kind.words.front());
  }
  return fmt::format("{} or {}", fmt::join(kind.words.begin(), kind.words.end() - 1, ", "), kind.words.back());
}

std::string allowed(const DeviceOption&) {
  return "auto, cpu, cuda or cuda:N";
}

std::string allowed(const PatternOption& kind) {
  return std::string(kind.allowed);
}

std::string allowed(const TextOption&) {
  return "a text that is not empty";
}

std::string allowed(const WidthsOption& kind) {
  return fmt::format("a list of at most {} integers from {} to {}", kind.at_most, kind.low, kind.high);
}

template <class T>
bool holds(const IntegerOption<T>& kind, T value) {
  return value >= kind.low && value <= kind.high && (value - kind.low) % kind.stride == 0;
}

// A NaN fails every comparison, and so it is refused.
bool holds(const RealOption& kind, double value) {
  return value >= kind.low && (kind.below_high ? value < kind.high : value <= kind.high);
}

bool holds(const ScheduledOption& kind, const ScheduleOption& value) {
  return why_impossible(value, kind.range).empty();
}

bool holds(const FlagOption&, bool) {
  return true;
}

bool holds(const WordOption& kind, const std::string& value) {
  return std::find(kind.words.begin(), kind.words.end(), value) != kind.words.end();
}

bool holds(const DeviceOption&, const std::string& value) {
  return value == "auto" || value == "cpu" || cuda_number(value);
}

bool holds(const PatternOption& kind, const std::string& value) {
  return kind.is_allowed(value);
}

bool holds(const TextOption&, const std::string& value) {
  return !value.empty();
}

bool holds(const WidthsOption& kind, const std::vector<int>& value) {
  return value.size() <= static_cast<std::size_t>(kind.at_most) &&
         std::all_of(value.begin(), value.end(), [&](int n) { return n >= kind.low && n <= kind.high; });
}

std::string written(bool value) {
  return value ? "true" : "false";
}
std::string written(int value) {
  return fmt::format("{}", value);
}
std::string written(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string written(double value) {
  return toml_real(value);
}
// The fields that say something, in one order.
std::string written(const ScheduleOption& value) {
  if (value.is_number()) {
    return toml_real(value.from);
  }
  std::string text;
  const ScheduleOption usual;
  for (const ScheduleField& field : schedule_fields()) {
    const double number = value.*field.member;
    if (field.is_of(value.shape) && (!field.is_extent || number != usual.*field.member)) {
      text += fmt::format("{} = {}, ", field.name,
                          field.is_extent && number > 1 ? fmt::format("{:.0f}", number) : toml_real(number));
    }
  }
  return fmt::format("{{{}shape = \"{}\"}}", text, schedule_shapes()[static_cast<std::size_t>(value.shape)]);
}
std::string written(const std::string& value) {
  return toml_quoted(value);
}
std::string written(const std::vector<int>& value) {
  return fmt::format("[{}]", fmt::join(value, ", "));
}

// TOML's integers end at 2^63 - 1; greater ones are written, and read, as a string of digits.
std::string written(std::uint64_t value) {
  const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return fits ? fmt::format("{}", value) : fmt::format("\"{}\"", value);
}

}  // namespace

const std::vector<OptionKey>& option_keys() {
  static const std::vector<OptionKey> keys = make_keys();
  return keys;
}

const OptionKey* find_option_key(std::string_view name) {
  const auto& keys = option_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const OptionKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string_view nearest_option_key(std::string_view name) {
  std::string_view nearest;
  // Further than a third of the letters is another word, not a slip.
  int least = std::max(1, static_cast<int>(name.size()) / 3) + 1;
  for (const OptionKey& key : option_keys()) {
    int distance = edit_distance(name, key.name);
    if (name.find('.') == std::string_view::npos) {
      distance = std::min(distance, edit_distance(name, key.name.substr(key.name.find('.') + 1)));
    }
    if (distance < least) {
      least = distance;
      nearest = key.name;
    }
  }
  return nearest;
}

std::string allowed_values(const OptionKey& key) {
  return std::visit([](const auto& kind) { return allowed(kind); }, key.kind);
}

bool is_allowed(const OptionKey& key, const Options& options) {
  return std::visit([&](const auto& kind) { return holds(kind, kind.field.get(options)); }, key.kind);
}

std::string value_text(const OptionKey& key, const Options& options) {
  return std::visit([&](const auto& kind) { return written(kind.field.get(options)); }, key.kind);
}

std::string toml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (code < 0x20 || code == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(code));
    } else {
      quoted += letter;
    }
  }
  return quoted + '"';
}

std::string toml_real(double value) {
  std::string text = fmt::format("{}", value);
  const bool looks_whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return looks_whole ? text + ".0" : text;
}

}  // namespace duel
