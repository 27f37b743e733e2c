// The operators of kernels/, as functions that record them in a program. Each gives the output's shape, the calls to
// prepare and run, and the derivative rule, which is made of the same functions: so a derivative can be
// differentiated again. Shapes are checked when recorded (by the operators' own checks, when prepared, at the latest).
#pragma once

#include "engine/program/program.h"
#include "kernels/activation.h"
#include "kernels/augment_pictures.h"
#include "kernels/batch_norm.h"
#include "kernels/batched_matmul.h"
#include "kernels/conv2d.h"
#include "kernels/crop_pictures.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/gather.h"
#include "kernels/grid_sample.h"
#include "kernels/group_norm.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pad2d.h"
#include "kernels/permute.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/resample2d.h"
#include "kernels/shift_flip.h"

namespace duel::ops {

// Layers. `out` is the type of the result.
Value matmul(Program&, const Matmul&, Value a, Value b, DType out);  // without activation
Value batched_matmul(Program&, const BatchedMatmul&, Value a, Value b, DType out);
Value softmax(Program&, Value x);  // over the last extent
Value softmax_backward(Program&, Value dy, Value y);
Value conv2d(Program&, const Conv2d&, Value x, Value w);
Value conv2d_backward_input(Program&, const Conv2d&, Value dy, Value w, const Shape& x, DType out);
Value conv2d_backward_weight(Program&, const Conv2d&, Value x, Value dy, const Shape& w);
Value bias_act(Program&, const Activation&, Value x, Value bias);  // bias may not exist
Value activation_backward(Program&, const Activation&, Value dy, Value y);

// Batch normalisation, without activation. All three results may be differentiated, any number of times.
struct BatchNormed {
  Value y, mean, rstd;
};
struct BatchNormGradients {
  Value dx, dgamma, dbeta;
};
BatchNormed batch_norm(Program&, const BatchNorm&, Value x, Value gamma, Value beta);
BatchNormGradients batch_norm_backward(Program&, Value dy, Value x, Value gamma, Value mean, Value rstd);
Value batch_norm_inference(Program&, const BatchNorm&, Value x, Value gamma, Value beta, Value mean, Value variance);

// Layer, instance and group normalisation. gamma and beta exist both or not at all; so do dgamma and dbeta. All results
// may be differentiated, any number of times.
struct GroupNormed {
  Value y, mean, rstd;
};
struct GroupNormGradients {
  Value dx, dgamma, dbeta;
};
GroupNormed group_norm(Program&, const GroupNorm&, Value x, Value gamma = {}, Value beta = {});
GroupNormGradients group_norm_backward(Program&, const GroupNorm&, Value dy, Value x, Value gamma, Value mean,
                                       Value rstd);

// Cross-entropy of logits f32 [N,K] against labels i32 [N]. Both results may be differentiated, any number of times.
struct CrossEntropyResult {
  Value loss, log_sums;  // f32 [1], [N]
};
CrossEntropyResult softmax_cross_entropy(Program&, const CrossEntropy&, Value logits, Value labels);
Value softmax_cross_entropy_backward(Program&, const CrossEntropy&, Value logits, Value labels, Value log_sums);
Value fraction_correct(Program&, Value logits, Value labels);  // f32 [1], a constant

// Arithmetic.
Value add(Program&, Value a, Value b);
Value multiply(Program&, Value a, Value b);
Value affine(Program&, Value x, double scale, double shift = 0);
Value unary(Program&, UnaryKind, Value x);
Value clamp(Program&, Value x, double low, double high);  // the ends themselves have the derivative 1
Value cast(Program&, Value x, DType dtype);               // x itself where it has that type
Value copy(Program&, Value x);
Value stop_gradient(Program&, Value x);  // a copy that is a constant to derivatives
Value fill(Program&, const Shape&, DType, double value);
Value scale_scheduled(Program&, const Schedule& scale, Value step, Value x);  // x f32, times the schedule's value

// Sums and their opposites.
Value reduce_sum(Program&, const Reduce&, Value x);
Value broadcast(Program&, const Reduce&, Value x, const Shape& shape, DType out);
Value mean(Program&, Value x);                                        // over all elements, [1]
Value scale_rows(Program&, Value scale, Value x, Value addend = {});  // scale f32 [N]; addend may not exist

// Rows.
Value concat_rows(Program&, Value a, Value b);
Value slice_rows(Program&, Value x, int begin, int count);
Value pad_rows(Program&, Value x, int begin, int count);
Value take_rows(Program&, Value table, Value index);            // index i32 [B]
Value scatter_rows(Program&, Value dy, Value index, int rows);  // f32

// Columns.
Value concat_columns(Program&, Value a, Value b);
Value slice_columns(Program&, Value x, int begin, int count);
Value pad_columns(Program&, Value x, int begin, int count);
Value gate(Program&, Value x);  // one half times the other
Value gate_backward(Program&, Value dy, Value x);

// Axes in another order. pixel_shuffle is y[n, H r + i, W r + j, c] = x[n, H, W, (i r + j) C + c], r the factor: r r
// times the channels as r times the height and width; pixel_unshuffle undoes it.
Value permute(Program&, Value x, const Permute&);
Value pixel_shuffle(Program&, Value x, int factor);
Value pixel_unshuffle(Program&, Value x, int factor);

// Pictures with a margin, and looked up between their pixels. The grid has a first derivative alone.
Value pad2d(Program&, const Pad2d&, Value x);
Value pad2d_backward(Program&, const Pad2d&, Value dy, const Shape& x);
Value grid_sample(Program&, const GridSample&, Value x, Value grid);
Value grid_sample_backward_input(Program&, const GridSample&, Value dy, Value grid, const Shape& x);
Value grid_sample_backward_grid(Program&, const GridSample&, Value dy, Value x, Value grid);

// Pictures [N,H,W,C] to [N,height,width,C] through a filter.
Value resample2d(Program&, const Resample2d&, Value x, int height, int width);

// Augmentation. shift_flip has no derivative where pictures repeat their border.
Value shift_flip(Program&, const ShiftFlip&, Value x, Value step);
Value shift_flip_backward(Program&, const ShiftFlip&, Value dy, Value step);
Value augment_pictures(Program&, const AugmentPictures&, Value x, Value draws, Value probability);
Value augment_pictures_backward(Program&, const AugmentPictures&, Value dy, Value draws, Value probability);

// Sources: no derivative flows into them, nor through what takes parts of data.
Value random_normal(Program&, const Random&, Value step, const Shape&);
Value random_uniform(Program&, const Random&, Value step, const Shape&);
Value crop_pictures(Program&, const CropPictures&, Value x, Value step);
Value gather_rows(Program&, const GatherRows&, Value rows, Value step, int batch, DType dtype);
Value load_rows(Program&, const LoadRows&, Value ring, Value step, const Shape& batch, DType dtype);

// Effects on bound values, which are among the node's inputs and named by Node::writes.
struct AdamValues {
  Value w, m, v;  // f32 [n]
  Value compute;  // bf16 [n], or none
};
struct RunningStatistics {
  Value mean, variance;  // f32 [C]
};
Value global_norm(Program&, Value gradients);
Value clip_scale(Program&, double max_norm, Value norm);
void adam(Program&, const Adam&, Value step, Value gradient_scale, Value gradients, const AdamValues&);
void ema(Program&, const Schedule& decay, Value step, Value w, Value average);
void batch_norm_track(Program&, const BatchNormTrack&, Value mean, Value rstd, const RunningStatistics&);
void store_scalars(Program&, const std::vector<int>& columns, std::vector<Value> scalars, Value step, Value ring);
void advance_counter(Program&, Value step);
// `value` is found where `place`, a bound value, lies after a run: made there, or copied where it lives elsewhere
// already.
void write_to(Program&, Value value, Value place);

}  // namespace duel::ops
