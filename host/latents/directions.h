// Directions in which a generator's pictures change most, found without labels.
//
//   sefa   the unit eigenvectors of A A^T, A [latent,outputs] the first layer's matrix: of all steps of one length
//   these
//          change what the layer makes most (Shen & Zhou, "Closed-form factorization of latent semantics in GANs",
//          2021, eq. 6 and 7). Its share is that of the eigenvalues' sum
//   pca    principal components of what the first layer makes behind its activation of latents that are drawn, brought
//          back to latents: the unit vector along which a component's coordinate rises most, by least squares
//          (Harkonen, Hertzmann, Lehtinen & Paris, "GANSpace", 2020, section 3.2). Its share is that of the variance
//
// Latents are drawn from N(0, 1), so that a unit vector's length is one deviation along it.
#pragma once

#include "host/latents/first_layer.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct LatentDirection {
  std::vector<float> unit;  // [latent]
  double share = 0;
};

// The first `count` of them, or all where there are fewer.
std::vector<LatentDirection> sefa_directions(const double* matrix,  // [latent,outputs]
                                             std::int64_t latent, std::int64_t outputs, int count);
std::vector<LatentDirection> pca_directions(std::span<const float> latents,   // [n,latent]
                                            std::span<const float> features,  // [n,width]
                                            std::int64_t latent, std::int64_t width, int count);

}  // namespace duel
