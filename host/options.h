// Everything a training run can be told, and where it comes from: a preset, a TOML file, the command line.
//
// The keys of the file are the member names below, in the tables named in the comments, for example
// `optimizer.generator_learning_rate`. Unknown keys, wrong types and values out of range are errors of kind
// `usage` that name the key, the value, the allowed range, and for an unknown key the nearest known one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct Options {
  std::string preset = "steady";
  std::uint64_t seed = 0;
  std::string precision = "fp32";  // "fp32"; "tf32", f32 products rounded to TF32; "bf16", see Trainer
  std::string device = "auto";     // "auto", "cpu", "cuda" or "cuda:N"
  int threads = 0;                 // CPU threads; 0: all processors of this process
  std::string kernels = "auto";    // "auto": whichever is quicker; "ours"; "vendor": the libraries' where they have one

  struct Data {                            // [data]
    std::string source = "fashion-mnist";  // "fashion-mnist", "synthetic", or a folder of IDX files
    int synthetic_count = 4096;            // the next four describe "synthetic" only
    int synthetic_height = 28;
    int synthetic_width = 28;
    int synthetic_channels = 1;
  } data;

  struct Model {  // [model]
    int latent = 100;
    std::vector<int> generator_widths = {128, 256, 512, 1024};  // hidden dense layers; may be empty
    std::string generator_activation = "relu";                  // relu, leaky_relu, tanh, sigmoid
    std::vector<int> discriminator_channels = {32, 64};         // 3x3 convolutions; may be empty
    int discriminator_kernel = 3;                               // odd filter extent
    std::vector<int> discriminator_widths = {128};              // hidden dense layers; may be empty
    std::string discriminator_activation = "relu";
    double leaky_slope = 0.2;
  } model;

  struct Loss {                   // [loss]
    std::string kind = "bce";     // bce, lsgan, hinge, relativistic, wgan
    double r1 = 0;                // gamma of R1, on every step; 0: off
    double r2 = 0;                // gamma of R2
    double gradient_penalty = 0;  // lambda of WGAN-GP
  } loss;

  struct Optimizer {  // [optimizer]
    double generator_learning_rate = 1e-4;
    double discriminator_learning_rate = 1e-4;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-7;
    double clip_norm = 0;     // global norm at which gradients are clipped; 0: off
    double ema_decay = 0.99;  // of the generator's moving average, per step
  } optimizer;

  struct Train {  // [train]
    int batch = 64;
    int epochs = 100;
    std::int64_t steps = 0;  // 0: epochs * (pictures / batch)
  } train;

  // [schedule]: how the work reaches the device. Nothing here changes a byte of the results.
  struct Schedule {
    std::string residency = "auto";  // pictures: "device", uploaded once; "stream", batch by batch; "auto"
    std::string launch = "graph";    // on a GPU: "graph", steps captured once and replayed; "eager"
    int steps_per_launch = 0;        // 0: measured
    int lanes = 0;                   // of a GPU, for operators that may run side by side; 0: measured
  } schedule;

  struct Output {                // [output]
    int log_every = 50;          // steps between lines in log.txt and on a plain terminal
    int metrics_every = 10;      // steps between rows of metrics.jsonl and TensorBoard
    int samples_every = 250;     // steps between sample sheets; 0: only at the end
    int checkpoint_every = 500;  // steps between checkpoints; 0: only at the end
    int keep_last = 3;           // checkpoints kept besides those of keep_every; 0: all
    int keep_every = 0;          // every N-th step's checkpoint is kept for ever; 0: none
    int sample_rows = 8;
    int sample_columns = 8;
  } output;
};

// "classic" and "steady". Throws for another name, naming those there are.
Options preset(std::string_view name);
const std::vector<std::string>& preset_names();

// A value of the command line.
struct Setting {
  std::string origin;  // "--set", or the option that stands for this key alone, as "--batch"; errors speak of it
  std::string key;
  std::string text;
};

// Of "key=value", as --set takes it. Quotes around a whole text are taken off where nothing in it could mean two
// things: no such quote again and, in double quotes, no backslash.
Setting parse_setting(const std::string& key_and_value);

// Reads the text into the option of that key: numbers as host/decimal.h says, lists as "[64, 128]", texts as they
// stand, without any escape.
void apply_setting(const Setting& setting, Options& options);

// preset < file < settings. `file` may be empty. The preset is `preset_name` where it is not empty, else the file's
// key `preset`, else "steady". A folder of pictures becomes an absolute path, so that config.toml names it wherever it
// is read from: one in the settings is meant from the current folder, one in the file from the file's own folder, or
// where that has none such from the current one.
Options resolve_options(const std::string& preset_name, const std::string& file, const std::vector<Setting>& settings);

// The same from TOML text that to_toml() wrote, as when a run is resumed; `origin` names it in errors.
Options options_from_toml(const std::string& text, const std::string& origin);

void validate(const Options& options);  // ranges; throws kind `usage`
// Every key, so that a run can be repeated from it; `comments`, lines that begin with #, come first.
std::string to_toml(const Options& options, const std::string& comments = "");
std::string describe_option_keys();  // every key with its value in "steady", what it may be, what it is

}  // namespace duel
