#include "host/config/not_yet.h"

#include "host/config/option_keys.h"
#include "kernels/check.h"

namespace duel {

void refuse_not_yet(const Options& options) {
  const auto refuse = [&](const OptionKey& key, const std::string& only) {
    throw_error(Error::Kind::usage, "{} = {}: training knows {} only so far", key.name, value_text(key, options), only);
  };
  for (const OptionKey& key : option_keys()) {
    const auto* scheduled = std::get_if<ScheduledOption>(&key.kind);
    if (scheduled != nullptr && !scheduled->field.get(options).is_number()) {
      refuse(key, "a number");
    }
  }
  const Options usual;
  for (const char* name : {"loss.penalty_every", "optimizer.weight_decay", "optimizer.d_updates"}) {
    const OptionKey& key = *find_option_key(name);
    if (value_text(key, options) != value_text(key, usual)) {
      refuse(key, value_text(key, usual));
    }
  }
}

}  // namespace duel
