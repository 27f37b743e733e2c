#include "host/pictures/vips/start.h"

#include "kernels/check.h"

#include <vips/vips.h>

#include <vips/vector.h>  // behind vips.h, which it needs

#include <mutex>

namespace duel {

namespace {

// Frees what libvips keeps for a thread.
struct ThreadEnd {
  ~ThreadEnd() { vips_thread_shutdown(); }
};

void discard_log(const char*, GLogLevelFlags, const char*, void*) {}

}  // namespace

void start_vips() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Damaged files would write warnings to the terminal, between the lines of whoever calls.
    g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK | G_LOG_FLAG_RECURSION), discard_log,
                      nullptr);
    if (vips_init("duel") != 0) {
      throw_error(Error::Kind::internal, "libvips cannot be started: {}", vips_error_buffer());
    }
    vips_concurrency_set(1);     // the caller decodes several pictures at once
    vips_cache_set_max(0);       // no picture is decoded twice
    vips_vector_set_enabled(0);  // code made anew for each picture costs more than it saves, and rounds otherwise
  });
  thread_local const ThreadEnd end;
}

}  // namespace duel
