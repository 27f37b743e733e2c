// Calls that a dispatcher has to refuse, gathered from the files tests/kernels/refusals_*.cpp.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace duel::test {

struct WrongCall {
  std::string what;
  std::function<void(Context&)> call;
  std::vector<std::string> named;  // what the message must contain besides the operator
};

inline View f32(const Shape& shape) {
  return {nullptr, shape, DType::f32};
}
inline View bf16(const Shape& shape) {
  return {nullptr, shape, DType::bf16};
}
inline View u8(const Shape& shape) {
  return {nullptr, shape, DType::u8};
}
inline View i32(const Shape& shape) {
  return {nullptr, shape, DType::i32};
}
inline View i64(const Shape& shape) {
  return {nullptr, shape, DType::i64};
}
inline const View kNone;

// Each operator's, of all files.
using WrongCalls = std::map<std::string, std::vector<WrongCall>>;
using MakeWrongCalls = WrongCalls (*)();
std::vector<MakeWrongCalls>& wrong_call_makers();

// A file's calls are part of the program: `const RegisteredWrongCalls calls{make};`
struct RegisteredWrongCalls {
  explicit RegisteredWrongCalls(MakeWrongCalls make) { wrong_call_makers().push_back(make); }
};

// Of operators from x to a y of its shape.
template <class Op>
std::vector<WrongCall> wrong_maps(Op op) {
  const auto call = [op](View x, View y) { return [=](Context& context) { op(context, x, y); }; };
  return {{"y of another shape", call(f32({3, 5}), f32({5, 3})), {"[3,5]", "[5,3]"}},
          {"y of another rank", call(f32({15}), f32({3, 5})), {"[15]", "[3,5]"}},
          {"y of integers", call(f32({3, 5}), i64({3, 5})), {"i64[3,5]"}},
          {"both of integers", call(u8({3, 5}), u8({3, 5})), {"u8[3,5]"}},
          {"no x", call(kNone, f32({3})), {}},
          {"no y", call(f32({3}), kNone), {}}};
}

// And of its type.
template <class Op>
std::vector<WrongCall> wrong_maps_of_one_type(Op op) {
  std::vector<WrongCall> list = wrong_maps(op);
  list.push_back({"y of another type",
                  [op](Context& context) {
                    op(context, f32({3, 5}), bf16({3, 5}));
                  },
                  {"f32[3,5]", "bf16[3,5]"}});
  return list;
}

}  // namespace duel::test
