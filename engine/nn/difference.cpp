#include "engine/nn/difference.h"

#include "engine/ops/ops.h"

namespace duel {

Value difference(Program& p, Value a, Value b) {
  return ops::add(p, a, ops::affine(p, b, -1.0));
}

}  // namespace duel
