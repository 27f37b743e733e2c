// Checks that several dispatchers share. `op` is the operator's name, which begins the message.
#pragma once

#include "kernels/check.h"
#include "kernels/tensor.h"

namespace duel {

inline bool is_present(View view) {
  return view.shape.rank() > 0;
}

inline void check_float(const char* op, const char* name, View view) {
  check(is_present(view) && (view.dtype == DType::f32 || view.dtype == DType::bf16),
        "{}: {} is {}, but must be f32 or bf16", op, name, view);
}

inline void check_f32(const char* op, const char* name, View view, const Shape& shape) {
  check(view.shape == shape && view.dtype == DType::f32, "{}: {} is {}, but must be f32{}", op, name, view, shape);
}

inline void check_like(const char* op, const char* name, View view, const char* like_name, View like) {
  check(view.shape == like.shape && view.dtype == like.dtype, "{}: {} is {}, but must be as {}, {}", op, name, view,
        like_name, like);
}

inline void check_counter(const char* op, View step) {
  check(step.shape == Shape{1} && step.dtype == DType::i64, "{}: step is {}, but must be i64[1]", op, step);
}

}  // namespace duel
