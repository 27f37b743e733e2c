#include "kernels/gan_loss.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(gan_loss, const GanLoss&, View real, View fake, View loss, View dreal, View dfake);

void gan_loss(Context& context, const GanLoss& p, View real, View fake, View loss, View dreal, View dfake) {
  check_float("gan_loss", "fake", fake);
  check_like("gan_loss", "dfake", dfake, "fake", fake);
  if (needs_reals(p)) {
    check_like("gan_loss", "real", real, "fake", fake);
    check_like("gan_loss", "dreal", dreal, "fake", fake);
  } else {
    check(!is_present(real) && !is_present(dreal),
          "gan_loss: real is {} and dreal {}, but the {}'s loss {} does not look at real pictures", real, dreal,
          name_of(p.side), name_of(p.kind));
  }
  check_f32("gan_loss", "loss", loss, Shape{1});
  context.run([&](auto& backend) { gan_loss(backend, p, real, fake, loss, dreal, dfake); });
}

bool needs_reals(const GanLoss& loss) {
  return loss.side == LossSide::discriminator || loss.kind == LossKind::relativistic;
}

const char* name_of(LossKind kind) {
  switch (kind) {
    case LossKind::bce: return "bce";
    case LossKind::lsgan: return "lsgan";
    case LossKind::hinge: return "hinge";
    case LossKind::relativistic: return "relativistic";
    case LossKind::wgan: return "wgan";
  }
  throw Error(Error::Kind::internal, "name_of: unknown loss");
}

const char* name_of(LossSide side) {
  return side == LossSide::discriminator ? "discriminator" : "generator";
}

}  // namespace duel
