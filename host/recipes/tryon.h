// A garment laid on a person, as a recipe of one phase (Ge et al., "Parser-free virtual try-on via distilling
// appearance flows", 2021; Lee et al., "High-resolution virtual try-on with misalignment and occlusion-handled
// conditions", 2022):
//
//   main  pairs: a person without the garment, the parts of its body, the garment, and the truth; one Adam update of
//         both networks by both losses, the moving averages
//
//   loss.warp     of the start and of each of the three flows, i = 1 for the start to 4 for the whole picture's, which
//                 are compared in their own size: i (2 mean |detail of garment warped - garment as it is worn| + 4 mean
//                 |its mask warped - where it is seen| + 0.3 distance from the true flow), and 0.4 curvature of the
//                 last one (engine/nn/flow.h); the detail of a difference is what the mean of 7x7 pixels leaves of it;
//                 the distance is mean seen (|flow - true flow|^2 + 0.01)^0.5 over the picture's pixels, in pixels of
//                 it
//   loss.picture  5 mean |made - truth| + mean |painted - truth| + mean |1 - mask|; made = mask warped +
//                 (1 - mask) (kept person + (1 - kept) painted), where the mask is 0 beside the garment
//
// Ge et al. weigh the curvature by 6, in pictures 256 pixels high. In smaller ones the same bend is larger in pixels:
// at 64x96 the curvature of the true warps would cost 4.1 (60 pairs of a set), where a garment that is not moved
// costs 3.2 in all, so that it stays straight; and with 0.5 of each flow's, true bends cost nearly all that they bring.
// Detail in place of colours, because shading is most of what colours differ by. What of the person is kept, where the
// papers paint all, leaves face and ground as they are.
//
// Colours are in -1..1, masks in 0..1; where a garment is transparent its colours are 0. No adversary, no features
// of another network.
//
// Metrics: loss, warp, picture (the two above), l1 (mean |made - truth|), grad_norm; of rows that are held out, of
// people and garments that training never sees, by the averages of the weights and rounded to bytes:
//   held_out_ssim        mean over the pictures
//   held_out_l1          mean |made - truth|, pictures in 0..1
//   held_out_flow_error  mean distance in pixels between the flow and the true one, over pixels that show the garment
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "flow" and "painter" (engine/models/tryon.h); the draw pairs. Reads main/garment, main/person, main/body,
// main/picture, main/worn, main/flow. Throws kind `usage` where the data are no try-on set, and as check_tryon() does.
// `steps`: of the run, for schedules.
std::unique_ptr<Recipe> make_tryon(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel
