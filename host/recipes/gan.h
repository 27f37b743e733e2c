// One training step of a GAN as two recorded programs: the discriminator's phase, then the generator's.
//
//   d_main  reals x and fresh latents z; loss of the discriminator on x and G(z), with R1, R2 or WGAN-GP where asked
//           for; its gradient, norm, clipping; one Adam update of the discriminator
//   g_main  fresh latents (and reals, for a relativistic loss); loss of the generator through the discriminator, whose
//           weights are not differentiated; Adam update of the generator, its moving average; the step counter
//
// Each scalar that a person may want to see is stored in a row of a ring on the device.
#pragma once

#include "engine/nn/network.h"
#include "engine/program/program.h"
#include "engine/program/storage.h"
#include "host/config/options.h"
#include "host/data/batch_plan.h"
#include "kernels/random.h"

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

// Noise that stands in memory instead of being drawn: a replay (host/parity/replay.h) fills it before each phase. Where
// a view has no shape, Philox draws it as a function of seed and step.
struct GanSources {
  View d_latents, g_latents;  // f32 [B,latent]
  View shares;                // f32 [B]: each real picture's part in WGAN-GP's mixtures
};

// Device memory that the programs read and write, apart from parameters. To record, shapes are enough.
struct GanBuffers {
  const BatchPlan* batches = nullptr;  // of gan_batches(options)
  std::byte* rows = nullptr;           // batches->bytes()
  View step;                           // i64 [1]
  View ring;                           // f32 [rows, gan_metrics(options).size()]
  GanSources sources = {};
};

// The batches that a step reads, and where they come from.
std::vector<DrawnField> gan_batches(const Options& options);
BatchPlan plan_gan_batches(const Options& options, const Data& data, bool is_streamed);

inline constexpr int kRingRows = 64;  // steps whose scalars the device remembers

// "d_loss", "g_loss", ...: the columns of the ring.
std::vector<std::string> gan_metrics(const Options& options);

struct GanPhases {
  Program discriminator, generator;
};

// `fused` false leaves the rewrites of engine/rewrite/fuse.h out, for tests and comparisons.
GanPhases record_gan(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused = true);

// What both programs are attached to: the buffers, and what is allocated of the parameters.
Storage gan_storage(const GanModel& model, const GanBuffers& buffers);

}  // namespace duel
