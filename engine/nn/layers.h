// Layers: parameters declared once, and the nodes they record.
#pragma once

#include "engine/nn/named_state.h"
#include "engine/nn/parameters.h"
#include "kernels/activation.h"
#include "kernels/conv2d.h"

#include <string>

namespace duel {

// How a layer's weight and bias start, given the fans of its weight (initial.h).
struct LayerInitial {
  Initial weight, bias;
};
using Scheme = LayerInitial (*)(int fan_in, int fan_out);
LayerInitial glorot_and_zeros(int fan_in, int fan_out);
LayerInitial he_and_zeros(int fan_in, int fan_out);
LayerInitial as_in_pytorch(int fan_in, int fan_out);     // the defaults of its Linear, Conv2d and ConvTranspose2d
LayerInitial small_and_normal(int fan_in, int fan_out);  // weights of N(0, 0.02): DCGAN, pix2pix, CycleGAN

// What dense and convolutional layers have in common; an activation alone is one too.
struct LayerForm {
  LayerForm(const Activation& act = {}, Scheme start = glorot_and_zeros, bool bias = true)
      : activation(act), scheme(start), has_bias(bias) {}

  Activation activation;
  Scheme scheme;
  bool has_bias;  // false before a normalisation, which takes it off again
};

// Here and below, `weight` is taken in place of the layer's own where it exists: one made of it, such as a spectrally
// normalised one (spectral_norm.h).

// y = act(x w + b). x [N,I] in the network's type, w [I,O], b [O]; y in `out`.
class Dense {
public:
  Dense(Parameters& parameters, const std::string& name, int inputs, int outputs, const LayerForm& form);
  Value operator()(Program& program, const BoundParameters& weights, Value x, DType out, Value weight = {}) const;
  const std::string& name() const { return name_; }
  Value weight(const BoundParameters& weights) const { return weights[weight_]; }

private:
  std::string name_;
  int weight_, bias_;  // bias_: -1 where it has none, here and below
  Activation activation_;
};

// 4x4 filters with these halve even extents, and transposed they double any.
inline constexpr Conv2d kHalving{2, 1, 1, 1, 1};

// y = act(conv(x, w) + b). x [N,H,W,C], w [K,R,R,C], b [K].
class Conv {
public:
  Conv(Parameters& parameters, const std::string& name, const Conv2d& conv, int channels, int filters, int kernel,
       const LayerForm& form);
  Value operator()(Program& program, const BoundParameters& weights, Value x, Value weight = {}) const;
  const std::string& name() const { return name_; }
  Value weight(const BoundParameters& weights) const { return weights[weight_]; }

private:
  std::string name_;
  int weight_, bias_;
  Conv2d conv_;
  Activation activation_;
};

// The same with padding that keeps H and W, at stride 1, for an odd kernel.
class ConvSame : public Conv {
public:
  ConvSame(Parameters& parameters, const std::string& name, int channels, int filters, int kernel,
           const LayerForm& form)
      : Conv(parameters, name, Conv2d::same(kernel), channels, filters, kernel, form) {}
};

// The transposed convolution, y = act(x spread by the filters + b): `conv` of a picture like y gives one like x.
// Extents are (H - 1) stride + R - padding. x [N,H,W,C], w [C,R,R,K], b [K]; the fans are that convolution's, as in
// PyTorch.
class ConvTransposed {
public:
  ConvTransposed(Parameters& parameters, const std::string& name, const Conv2d& conv, int channels, int filters,
                 int kernel, const LayerForm& form);
  Value operator()(Program& program, const BoundParameters& weights, Value x, Value weight = {}) const;
  const std::string& name() const { return name_; }
  Value weight(const BoundParameters& weights) const { return weights[weight_]; }

private:
  std::string name_;
  int weight_, bias_, filters_, kernel_;
  Conv2d conv_;
  Activation activation_;
};

// A trained row for each class. `classes`: i32 [N], a class each; or [N,K], the shares of the classes in each row.
class Embedding {
public:
  Embedding(Parameters& parameters, const std::string& name, int classes, int width,
            const Initial& initial = Initial::normal(1));
  Value operator()(Program& program, const BoundParameters& weights, Value classes) const;  // [N,width]

private:
  std::string name_;
  int weight_;
};

// y = act(batch norm of x, over all extents but the last). Training normalises by the batch's statistics and lets the
// running ones follow it; otherwise by the running ones, "NAME/running_mean" and "NAME/running_variance" of `state`.
class BatchNormalization {
public:
  BatchNormalization(Parameters& parameters, const std::string& name, int channels, const Activation& activation,
                     const Initial& gamma = Initial::ones());
  Value operator()(Program& program, const BoundParameters& weights, const NamedState& state, bool is_training,
                   Value x) const;

private:
  std::string name_;
  int gamma_, beta_;
  Activation activation_;
};

}  // namespace duel
