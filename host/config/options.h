// Everything a training run can be told. Where it comes from: configuration.h.
#pragma once

#include "host/config/schedule_option.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct Options {
  std::string preset = "conv-steady";
  std::string recipe = "gan";  // what is trained, and how; see host/recipes
  std::uint64_t seed = 0;
  std::string precision = "fp32";  // "fp32"; "tf32", f32 products rounded to TF32; "bf16", see Trainer
  std::string device = "auto";     // "auto", "cpu", "cuda" or "cuda:N"
  int threads = 0;                 // CPU threads; 0: as default_threads.h has it
  std::string kernels = "auto";    // "auto": whichever is quicker; "ours"; "vendor": the libraries' where they have one

  struct Data {                            // [data]
    std::string source = "fashion-mnist";  // "fashion-mnist", "synthetic", or a folder of photographs or IDX files
    bool labels = false;                   // train by class, where the source has labels
    int synthetic_count = 4096;            // the next four describe "synthetic" only
    int synthetic_height = 28;
    int synthetic_width = 28;
    int synthetic_channels = 1;
    std::string size = "auto";        // the rest is of photographs: "WxH", auto: 64x64
    std::string fit = "cover";        // cover, contain, pad; see host/pictures/decode.h
    std::string background = "auto";  // "RRGGBB"; auto: of each picture's border
    std::string alpha = "flatten";    // flatten; keep: trains RGB and opacity
    std::string colour = "auto";      // grey, colour; auto: grey where all pictures are
    int held_out = 10;                // percent of the pictures, kept out of training
    std::string target = "label";     // of recipe classify: label; attributes: the columns of a table as tags
    std::string degrade = "none";     // what pictures are spoilt by, to be restored: degradation.h
    std::string pairs = "none";       // or a folder of what they are to be made of, by the same names
    int crop = 0;                     // of recipe restore: the side of what is trained on; 0: whole pictures
    std::string into = "none";        // of recipes cut and cyclegan: what the pictures are to become; as source
  } data;

  struct Model {                       // [model]
    std::string networks = "classic";  // of recipe gan; their names: option_keys.cpp
    int latent = 100;
    int filters = 32;     // of convolutional networks: output channels of the widest pictures' layers
    int blocks = 1;       // residual blocks of each stage, of a classifier and of residual
    int stages = 3;       // of a classifier; each but the first halves the picture and doubles the channels
    int stem_stride = 1;  // of a classifier; 2 halves the picture before the first stage
    int features = 128;   // numbers that conv-steady's discriminator judges a picture by, and cut a place
    std::vector<int> generator_widths = {128, 256, 512, 1024};  // hidden dense layers; may be empty
    std::string generator_activation = "relu";                  // relu, leaky_relu, tanh, sigmoid
    std::vector<int> discriminator_channels = {32, 64};         // 3x3 convolutions; may be empty
    int discriminator_kernel = 3;                               // odd filter extent
    std::vector<int> discriminator_widths = {128};              // hidden dense layers; may be empty
    std::string discriminator_activation = "relu";
    double leaky_slope = 0.2;
    std::vector<int> widths = {64, 32, 16};       // of residual: channels of each stage, the smallest pictures' first
    std::string restorer = "msr-resnet";          // of recipe restore: msr-resnet, nafnet, unet
    std::vector<int> encoder_blocks = {1, 1, 2};  // of nafnet: of each level, the largest pictures' first
    int middle_blocks = 2;
    std::vector<int> decoder_blocks = {1, 1, 1};  // the smallest pictures' first
    std::string adversary = "patch";              // the discriminator of an adversary: patch, unet
    int adversary_filters = 64;                   // of its first layer
    std::string adversary_norm = "none";          // and, of patches, its norms: none, instance
  } model;

  struct Loss {                       // [loss]
    std::string kind = "bce";         // bce, lsgan, hinge, relativistic, wgan
    ScheduleOption r1;                // gamma of R1; 0: off
    ScheduleOption r2;                // gamma of R2
    ScheduleOption gradient_penalty;  // lambda of WGAN-GP
    int penalty_every = 1;            // steps between penalties
    double label_smoothing = 0;       // of recipe classify: the share of each target that all classes get alike
    std::string restoration = "l1";   // of recipe restore: l1, psnr
    double restoration_weight = 1;    // what it is multiplied by
    ScheduleOption adversary = 0.0;   // the weight of a discriminator's judgement beside it; 0: there is none
    double cycle = 10;                // of recipe cyclegan: what the way there and back weighs
    double contrast = 1;              // of recipe cut: what the comparison of places weighs
    double identity = 0.5;            // of both: a share of that, what is lost by changing the other kind
    int places = 256;                 // of recipe cut: of a map, that are compared
    double temperature = 0.07;        // of recipe cut: what likeness of places is divided by
  } loss;

  // [perceptual]: of recipe restore, a distance between what a trained classifier makes of two pictures
  struct Perceptual {
    std::string run = "none";     // of recipe classify; its weights are copied into the new run
    ScheduleOption weight = 0.1;  // of the distance in the loss
    int channels = 0;             // these describe its network; 0: as the run says (perceptual_run.h)
    int classes = 0;
    int filters = 0;
    int blocks = 0;
    int stages = 0;
    int stem_stride = 0;
  } perceptual;

  struct Optimizer {                      // [optimizer]
    ScheduleOption learning_rate = 1e-3;  // of recipes with one optimiser
    ScheduleOption generator_learning_rate = 1e-4;
    ScheduleOption discriminator_learning_rate = 1e-4;
    double beta1 = 0.9;
    ScheduleOption beta2 = 0.999;
    double epsilon = 1e-7;
    double clip_norm = 0;             // global norm at which gradients are clipped; 0: off
    ScheduleOption ema_decay = 0.99;  // of the generator's moving average, per step
    double weight_decay = 0;          // of AdamW; 0: Adam
    int d_updates = 1;                // of the discriminator in a step
  } optimizer;

  struct Train {  // [train]
    int batch = 64;
    int epochs = 100;
    std::int64_t steps = 0;    // 0: epochs * (pictures / batch)
    int evaluate_every = 500;  // steps between measurements on held-out rows; 0: only at the end
    // Where a loss or gradient is not finite: "stop"; or "rollback", to the last checkpoint with half the learning
    // rates.
    std::string on_nonfinite = "stop";
  } train;

  struct Evaluate {                   // [evaluate]: how good the pictures are while a run trains; changes no weight
    int every = 0;                    // steps between evaluations; 0: none
    std::string extractor = "auto";   // "auto": one is trained on the data; "classifier:RUN"; "onnx:FILE"; "pixels"
    int count = 2000;                 // pictures of each set at most
    std::string keep_best = "none";   // whose best checkpoint is kept: "kid", "frechet"
    std::string stop_when = "never";  // "plateau": `patience` evaluations without a new best end the run
    int patience = 5;
  } evaluate;

  struct Augment {                // [augment]: what is done to the pictures of each step
    int shift = 0;                // of recipe classify: pixels by which each is moved at most; its border is repeated
    bool flip = false;            // whether one in two is mirrored; of recipe gan, of the real ones
    bool turn = false;            // of recipe restore: by a quarter turn, and upside down, each one in two
    std::string policy = "none";  // none, product, full; see host/recipes/augmentation.h
    ScheduleOption probability = 0.5;  // with which each change of the policy is made to a picture
    bool adaptive = false;             // the probability follows the discriminator
    double target = 0.6;               // the mean sign of its judgement of real pictures that is aimed at
  } augment;

  // [schedule]: how the work reaches the device. Nothing here changes a byte of the results.
  struct Schedule {
    std::string residency = "auto";  // pictures: "device", uploaded once; "stream", batch by batch; "auto"
    std::string launch = "graph";    // on a GPU: "graph", steps captured once and replayed; "eager"
    int steps_per_launch = 0;        // 0: measured
    int lanes = 0;                   // of a GPU, for operators that may run side by side; 0: measured
    std::string memory = "check";    // of what does not fit into free memory: "check", refused; "ignore", tried
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

}  // namespace duel
