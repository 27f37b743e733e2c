// A garment laid on a person by the networks of a run of the recipe `tryon`.
#pragma once

#include "host/config/device_request.h"

#include <cstdint>
#include <optional>
#include <string>

namespace duel {

struct TryOn {
  std::string run;
  std::string person;                // a picture without the upper garment, as the set's person/ has them
  std::string body;                  // the parts of its body as colours, as the set's body/ has them
  std::string garment;               // a picture that is opaque where the garment is
  std::string out;                   // a PNG file that is not there yet
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  DeviceRequest where;
};

struct TriedOn {
  std::int64_t step = 0;
  int width = 0, height = 0;
};

// Throws kind `usage` for the run of another recipe, a picture of another size than the run was trained on, a garment
// without and a person or body with transparent pixels (both: they are swapped), a body of other colours, an `out` that
// is no new PNG file; kind `data` where a picture cannot be read or the result not written.
TriedOn try_on(const TryOn& request);

}  // namespace duel
