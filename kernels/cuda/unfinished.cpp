// Temporary: operators whose kernels are still being written.
#include "kernels/check.h"
#include "kernels/bias_act.h"
#include "kernels/conv2d.h"
#include "kernels/elementwise.h"
#include "kernels/gather.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"
#include "kernels/step_state.h"
#pragma GCC diagnostic ignored "-Wunused-parameter"
namespace duel {
__attribute__((weak)) void bias_act_forward(CudaContext&, const Activation&, View x, View bias, View y) { throw Error(Error::Kind::internal, "bias_act_forward: not written yet"); }
__attribute__((weak)) void activation_backward(CudaContext&, const Activation&, View dy, View y, View dx) { throw Error(Error::Kind::internal, "activation_backward: not written yet"); }
__attribute__((weak)) void bias_backward(CudaContext&, View dy, View db) { throw Error(Error::Kind::internal, "bias_backward: not written yet"); }
__attribute__((weak)) void bias_act_backward(CudaContext&, const Activation&, View dy, View y, View dx, View db) { throw Error(Error::Kind::internal, "bias_act_backward: not written yet"); }
__attribute__((weak)) void prepare_conv2d_forward(CudaContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y) { throw Error(Error::Kind::internal, "prepare_conv2d_forward: not written yet"); }
__attribute__((weak)) void prepare_conv2d_backward_input(CudaContext&, const Conv2d&, View dy, View w, View dx) { throw Error(Error::Kind::internal, "prepare_conv2d_backward_input: not written yet"); }
__attribute__((weak)) void prepare_conv2d_backward_weight(CudaContext&, const Conv2d&, View x, View dy, View dw) { throw Error(Error::Kind::internal, "prepare_conv2d_backward_weight: not written yet"); }
__attribute__((weak)) void conv2d_forward(CudaContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y) { throw Error(Error::Kind::internal, "conv2d_forward: not written yet"); }
__attribute__((weak)) void conv2d_backward_input(CudaContext&, const Conv2d&, View dy, View w, View dx) { throw Error(Error::Kind::internal, "conv2d_backward_input: not written yet"); }
__attribute__((weak)) void conv2d_backward_weight(CudaContext&, const Conv2d&, View x, View dy, View dw) { throw Error(Error::Kind::internal, "conv2d_backward_weight: not written yet"); }
__attribute__((weak)) void add(CudaContext&, View a, View b, View y) { throw Error(Error::Kind::internal, "add: not written yet"); }
__attribute__((weak)) void multiply(CudaContext&, View a, View b, View y) { throw Error(Error::Kind::internal, "multiply: not written yet"); }
__attribute__((weak)) void affine(CudaContext&, const Affine&, View x, View y) { throw Error(Error::Kind::internal, "affine: not written yet"); }
__attribute__((weak)) void unary(CudaContext&, UnaryKind, View x, View y) { throw Error(Error::Kind::internal, "unary: not written yet"); }
__attribute__((weak)) void fill(CudaContext&, float value, View y) { throw Error(Error::Kind::internal, "fill: not written yet"); }
__attribute__((weak)) void cast(CudaContext&, View x, View y) { throw Error(Error::Kind::internal, "cast: not written yet"); }
__attribute__((weak)) void gather_pictures(CudaContext&, const Random& order, View pictures, View step, View y) { throw Error(Error::Kind::internal, "gather_pictures: not written yet"); }
__attribute__((weak)) void prepare_matmul(CudaContext&, const Matmul&, View a, View b, View bias, View y) { throw Error(Error::Kind::internal, "prepare_matmul: not written yet"); }
__attribute__((weak)) void matmul(CudaContext&, const Matmul&, View a, View b, View bias, View y) { throw Error(Error::Kind::internal, "matmul: not written yet"); }
__attribute__((weak)) void adam(CudaContext&, const Adam&, View step, View gradient_scale, View gradient, const AdamState&) { throw Error(Error::Kind::internal, "adam: not written yet"); }
__attribute__((weak)) void ema(CudaContext&, double decay, View w, View average) { throw Error(Error::Kind::internal, "ema: not written yet"); }
__attribute__((weak)) void global_norm(CudaContext&, View gradient, View y) { throw Error(Error::Kind::internal, "global_norm: not written yet"); }
__attribute__((weak)) void clip_scale(CudaContext&, double max_norm, View norm, View y) { throw Error(Error::Kind::internal, "clip_scale: not written yet"); }
__attribute__((weak)) void random_normal(CudaContext&, const Random&, View step, View y) { throw Error(Error::Kind::internal, "random_normal: not written yet"); }
__attribute__((weak)) void random_uniform(CudaContext&, const Random&, View step, View y) { throw Error(Error::Kind::internal, "random_uniform: not written yet"); }
__attribute__((weak)) void reduce_sum(CudaContext&, const Reduce&, View x, View y) { throw Error(Error::Kind::internal, "reduce_sum: not written yet"); }
__attribute__((weak)) void broadcast(CudaContext&, const Reduce&, View x, View y) { throw Error(Error::Kind::internal, "broadcast: not written yet"); }
__attribute__((weak)) void concat_rows(CudaContext&, View a, View b, View y) { throw Error(Error::Kind::internal, "concat_rows: not written yet"); }
__attribute__((weak)) void slice_rows(CudaContext&, int begin, View x, View y) { throw Error(Error::Kind::internal, "slice_rows: not written yet"); }
__attribute__((weak)) void pad_rows(CudaContext&, int begin, View x, View y) { throw Error(Error::Kind::internal, "pad_rows: not written yet"); }
__attribute__((weak)) void store_scalar(CudaContext&, int column, View scalar, View step, View ring) { throw Error(Error::Kind::internal, "store_scalar: not written yet"); }
__attribute__((weak)) void advance_counter(CudaContext&, View step) { throw Error(Error::Kind::internal, "advance_counter: not written yet"); }
}
