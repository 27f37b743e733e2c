// What libvips and GLib allocate, owned; and what libvips says when it fails.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <string>

namespace duel {

struct UnrefObject {
  void operator()(void* object) const { g_object_unref(object); }
};
using VipsPicture = std::unique_ptr<VipsImage, UnrefObject>;

struct FreeByGlib {
  void operator()(void* memory) const { g_free(memory); }
};
using VipsMemory = std::unique_ptr<void, FreeByGlib>;

// The first line of what libvips has collected, which is forgotten: of all threads in one place, so that it is this
// call's only where no other one fails at the same time.
inline std::string taken_vips_message() {
  const std::string lines = vips_error_buffer();
  vips_error_clear();
  return lines.substr(0, lines.find('\n'));
}

}  // namespace duel
