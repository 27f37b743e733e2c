#include "host/data/input_source.h"

#include <utility>

namespace duel {

InputSource::InputSource(std::unique_ptr<const Source> truth)
    : truth_(std::move(truth)), fields_(truth_->fields()), fingerprint_(truth_->fingerprint()) {}

void InputSource::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const std::size_t own = truth_->fields().size();
  if (field < own) {
    truth_->read(row, field, to);
  } else {
    read_added(row, field - own, to);
  }
}

}  // namespace duel
