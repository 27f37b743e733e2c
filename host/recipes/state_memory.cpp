#include "host/recipes/state_memory.h"

#include <algorithm>

namespace duel {

namespace {

constexpr std::int64_t kAlignment = 16;  // elements

std::int64_t rounded(const RecordedState& state) {
  return (state.shape.count() + kAlignment - 1) / kAlignment * kAlignment;
}

std::int64_t count_of(const std::vector<RecordedState>& states) {
  std::int64_t count = 0;
  for (const RecordedState& state : states) {
    count += rounded(state);
  }
  return count;
}

}  // namespace

StateMemory::StateMemory(Context& context, const std::vector<RecordedState>& states)
    : buffer_(states.empty() ? Buffer() : Buffer(context, bytes_of(states))) {
  if (!states.empty()) {
    buffer_.clear();
  }
  std::int64_t offset = 0;
  for (const RecordedState& state : states) {
    arrays_.push_back({state.name,
                       buffer_.view(state.shape, DType::f32, static_cast<std::size_t>(offset) * sizeof(float)),
                       state.initial});
    offset += rounded(state);
  }
}

std::size_t StateMemory::bytes_of(const std::vector<RecordedState>& states) {
  return static_cast<std::size_t>(count_of(states)) * sizeof(float);
}

void StateMemory::initialize(Context& context) const {
  for (const Array& array : arrays_) {
    const auto count = static_cast<std::size_t>(array.view.count());
    upload<float>(context, array.view, std::vector<float>(count, static_cast<float>(array.initial)));
  }
}

void StateMemory::add_to(Storage& storage) const {
  for (const Array& array : arrays_) {
    storage.add("state/" + array.name, array.view);
  }
}

View StateMemory::block() const {
  return buffer_.bytes() == 0 ? View{} : buffer_.view({static_cast<int>(buffer_.bytes() / sizeof(float))}, DType::f32);
}

}  // namespace duel
