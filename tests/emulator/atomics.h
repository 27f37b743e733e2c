// CUDA's atomics. They order nothing but themselves, as in CUDA: what else a thread wrote needs a fence.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace duel::emulator {

template <class T>
concept Atomic = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long> ||
    std::is_same_v<T, float> || std::is_same_v<T, double>;

// *address = update(*address); the value before.
template <Atomic T, class Update>
T update_atomically(T* address, Update update) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  auto* bits = reinterpret_cast<Bits*>(address);
  Bits before = __atomic_load_n(bits, __ATOMIC_RELAXED);
  for (;;) {
    T value;
    std::memcpy(&value, &before, sizeof value);
    const T updated = update(value);
    Bits after;
    std::memcpy(&after, &updated, sizeof after);
    if (__atomic_compare_exchange_n(bits, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return value;
    }
  }
}

}  // namespace duel::emulator

template <duel::emulator::Atomic T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return static_cast<T>(old + value); });
}
template <duel::emulator::Atomic T>
T atomicSub(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return static_cast<T>(old - value); });
}
template <duel::emulator::Atomic T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return value < old ? value : old; });
}
template <duel::emulator::Atomic T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return value > old ? value : old; });
}
template <duel::emulator::Atomic T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T) { return value; });
}
template <duel::emulator::Atomic T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [=](T old) { return old == expected ? value : old; });
}
template <duel::emulator::Atomic T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return old | value; });
}
template <duel::emulator::Atomic T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return duel::emulator::update_atomically(address, [value](T old) { return old & value; });
}
