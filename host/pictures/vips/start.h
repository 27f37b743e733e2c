// libvips, ready to be called.
#pragma once

namespace duel {

// Called by each thread before it calls libvips; what libvips keeps for a thread is freed when that ends. Throws kind
// `internal` where it cannot be started.
void start_vips();

}  // namespace duel
