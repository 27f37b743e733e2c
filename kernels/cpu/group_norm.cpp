// Two ways, by where a group's numbers lie.
//
//   side by side   of one place each, as layer normalisation has them: a group is read, normalised and written while it
//                  is in registers (a few whole vectors of columns) or in the first cache
//   in columns     of all places of a picture: up to kWidth columns are summed at a time, kShort places of them apart.
//                  Pictures are shared among the threads where there are enough of them, else their columns; the sums
//                  are the same either way
#include "kernels/group_norm.h"

#include "kernels/cpu/column_sum.h"
#include "kernels/cpu/vector.h"

#include <cmath>

namespace duel {

namespace {

using simd::kLanes;
using simd::Vec;

template <int Distance, int... Lane>
inline Vec turned(Vec v, std::integer_sequence<int, Lane...>) {
  return __builtin_shufflevector(v, v, (Lane ^ Distance)...);
}

// The sum over a vector's lanes, in all of them.
template <int Distance = kLanes / 2>
inline Vec sum_of_lanes(Vec v) {
  v += turned<Distance>(v, std::make_integer_sequence<int, kLanes>{});
  if constexpr (Distance > 1) {
    return sum_of_lanes<Distance / 2>(v);
  } else {
    return v;
  }
}

// ---- groups side by side. Each function takes one group; `columns` is a whole number of vectors where Vectors > 0.
// (Inlined by force: what rounding to bf16 needs then stays in registers from group to group.)

template <int Vectors, class T>
[[gnu::always_inline]] inline void normalize_group(const T* x, const float* gamma, const float* beta, T* y, float* mean,
                                                   float* rstd, int columns, float epsilon) {
  const float share = 1.0F / static_cast<float>(columns), start = to_float(x[0]);  // so equal numbers are their mean
  if constexpr (Vectors > 0) {
    Vec values[Vectors], sum{};
    simd::unrolled<Vectors>([&](auto i) {
      values[i] = simd::load(x + i * kLanes);
      sum += values[i] - start;
    });
    const Vec m = start + sum_of_lanes(sum) * share;
    Vec squares{};
    simd::unrolled<Vectors>([&](auto i) {
      values[i] -= m;
      squares += values[i] * values[i];
    });
    const float r = 1.0F / std::sqrt(sum_of_lanes(squares)[0] * share + epsilon);
    simd::unrolled<Vectors>([&](auto i) {
      values[i] *= r;
      if (gamma != nullptr) {
        values[i] = values[i] * simd::load(gamma + i * kLanes) + simd::load(beta + i * kLanes);
      }
      simd::store(y + i * kLanes, values[i]);
    });
    *mean = m[0];
    *rstd = r;
  } else {
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int c = 0; c < columns; ++c) {
      sum += to_float(x[c]) - start;
    }
    const float m = start + sum * share;
#pragma omp simd reduction(+ : squares)
    for (int c = 0; c < columns; ++c) {
      squares += (to_float(x[c]) - m) * (to_float(x[c]) - m);
    }
    const float r = 1.0F / std::sqrt(squares * share + epsilon);
#pragma omp simd
    for (int c = 0; c < columns; ++c) {
      const float h = (to_float(x[c]) - m) * r;
      y[c] = from_float<T>(gamma != nullptr ? gamma[c] * h + beta[c] : h);
    }
    *mean = m;
    *rstd = r;
  }
}

// Adds dy h and dy to the sums, where there is a gamma.
template <int Vectors, class T>
[[gnu::always_inline]] inline void differentiate_group(const T* dy, const T* x, const float* gamma, float m, float r,
                                                       T* dx, float* dgamma_sums, float* dbeta_sums, int columns) {
  const float share = 1.0F / static_cast<float>(columns);
  if constexpr (Vectors > 0) {
    Vec h[Vectors], d[Vectors], sum{}, products{};
    simd::unrolled<Vectors>([&](auto i) {
      constexpr int kFirst = i * kLanes;
      d[i] = simd::load(dy + kFirst);
      h[i] = (simd::load(x + kFirst) - m) * r;
      if (gamma != nullptr) {
        simd::store(dgamma_sums + kFirst, simd::load(dgamma_sums + kFirst) + d[i] * h[i]);
        simd::store(dbeta_sums + kFirst, simd::load(dbeta_sums + kFirst) + d[i]);
        d[i] *= simd::load(gamma + kFirst);
      }
      sum += d[i];
      products += d[i] * h[i];
    });
    const Vec a = sum_of_lanes(sum) * share, b = sum_of_lanes(products) * share;
    simd::unrolled<Vectors>([&](auto i) { simd::store(dx + i * kLanes, r * (d[i] - a - h[i] * b)); });
  } else {
    float sum = 0, products = 0;
    const auto gain = [=](int c) { return gamma != nullptr ? gamma[c] : 1.0F; };
#pragma omp simd reduction(+ : sum, products)
    for (int c = 0; c < columns; ++c) {
      const float d = gain(c) * to_float(dy[c]);
      sum += d;
      products += d * ((to_float(x[c]) - m) * r);
    }
    const float a = sum * share, b = products * share;
    if (gamma != nullptr) {
#pragma omp simd
      for (int c = 0; c < columns; ++c) {
        dgamma_sums[c] += to_float(dy[c]) * ((to_float(x[c]) - m) * r);
        dbeta_sums[c] += to_float(dy[c]);
      }
    }
#pragma omp simd
    for (int c = 0; c < columns; ++c) {
      dx[c] = from_float<T>(r * (gain(c) * to_float(dy[c]) - a - (to_float(x[c]) - m) * r * b));
    }
  }
}

// Calls `call` with the number of vectors that a group is, or 0.
template <class Call>
void with_vectors(int columns, const Call& call) {
  if (columns == kLanes) {
    call(std::integral_constant<int, 1>{});
  } else if (columns == 2 * kLanes) {
    call(std::integral_constant<int, 2>{});
  } else if (columns == 3 * kLanes) {
    call(std::integral_constant<int, 3>{});
  } else if (columns == 4 * kLanes) {
    call(std::integral_constant<int, 4>{});
  } else if (columns == 8 * kLanes) {
    call(std::integral_constant<int, 8>{});
  } else {
    call(std::integral_constant<int, 0>{});
  }
}

template <class T>
void normalize_places(CpuContext& context, const GroupNorm& p, View x, View gamma, View beta, View y, View mean,
                      View rstd) {
  const int columns = x.shape.back(), of_group = columns / p.groups;
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / columns);
  with_vectors(of_group, [&](auto vectors) {
    parallel_ranges(context, x.shape.outer_count(), grain, [=](std::int64_t begin, std::int64_t end) {
      const float *gains = gamma.as<const float>(), *shifts = beta.as<const float>();
      for (std::int64_t row = begin; row < end; ++row) {
        for (int group = 0; group < p.groups; ++group) {
          const int column = group * of_group;
          const std::int64_t place = row * columns + column, statistic = row * p.groups + group;
          normalize_group<decltype(vectors)::value>(x.as<const T>() + place, gains == nullptr ? gains : gains + column,
                                                    shifts == nullptr ? shifts : shifts + column, y.as<T>() + place,
                                                    mean.as<float>() + statistic, rstd.as<float>() + statistic,
                                                    of_group, p.epsilon);
        }
      }
    });
  });
}

template <class T>
void differentiate_places(CpuContext& context, const GroupNorm& p, View dy, View x, View gamma, View mean, View rstd,
                          View dx, View dgamma, View dbeta) {
  const int columns = x.shape.back(), of_group = columns / p.groups;
  const auto* gains = gamma.as<const float>();
  with_vectors(of_group, [&](auto vectors) {
    const auto visit = [=](std::int64_t row, float* sums) {
      for (int group = 0; group < p.groups; ++group) {
        const int column = group * of_group;
        const std::int64_t place = row * columns + column, statistic = row * p.groups + group;
        differentiate_group<decltype(vectors)::value>(
            dy.as<const T>() + place, x.as<const T>() + place, gains == nullptr ? gains : gains + column,
            mean.as<const float>()[statistic], rstd.as<const float>()[statistic], dx.as<T>() + place,
            gains == nullptr ? sums : sums + column, gains == nullptr ? sums : sums + columns + column, of_group);
      }
    };
    if (gains == nullptr) {
      const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / columns);
      parallel_ranges(context, x.shape.outer_count(), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          visit(row, nullptr);
        }
      });
      return;
    }
    sum_rows(context, x.shape.outer_count(), 2 * std::int64_t{columns}, nullptr, visit,
             [=](std::int64_t column, float sum) {
               if (column < columns) {
                 dgamma.as<float>()[column] = sum;
               } else {
                 dbeta.as<float>()[column - columns] = sum;
               }
             });
  });
}

// ---- groups in columns

constexpr int kWidth = 64;            // columns at a time
constexpr std::int64_t kShort = 256;  // places that are summed apart

// A batch as [pictures, places, columns], and the order of the work on it.
struct Pictures {
  const CpuContext& context;
  int pictures, columns, groups, of_group;
  std::int64_t places;

  Pictures(const CpuContext& of, const GroupNorm& p, const Shape& x)
      : context(of),
        pictures(x[0]),
        columns(x.back()),
        groups(p.groups),
        of_group(columns / groups),
        places(x.row_count() / columns) {}

  // Calls phase(picture, first column, behind the last) for each picture and each kWidth columns, one phase behind the
  // other for each picture.
  template <class... Phases>
  void run(const Phases&... phases) const {
    const int chunks = (columns + kWidth - 1) / kWidth;
    const auto part = [&](const auto& phase, int picture, std::int64_t chunk) {
      const int first = static_cast<int>(chunk) * kWidth;
      phase(picture, first, std::min(columns, first + kWidth));
    };
    if (pictures >= 2 * context.threads() || chunks == 1) {
      parallel_ranges(context, pictures, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto picture = static_cast<int>(begin); picture < end; ++picture) {
          const auto all_of = [&](const auto& phase) {
            for (int chunk = 0; chunk < chunks; ++chunk) {
              part(phase, picture, chunk);
            }
          };
          (all_of(phases), ...);
        }
      });
      return;
    }
    for (int picture = 0; picture < pictures; ++picture) {
      const auto all_of = [&](const auto& phase) {
        parallel_ranges(context, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t chunk = begin; chunk < end; ++chunk) {
            part(phase, picture, chunk);
          }
        });
      };
      (all_of(phases), ...);
    }
  }

  // totals[i] += visit's sums over all places, i < count: visit(offset of a place's first column, sums).
  template <int Sums, class Visit>
  void sum_places(int picture, int first, const Visit& visit, float (&totals)[Sums][kWidth]) const {
    for (std::int64_t short_begin = 0; short_begin < places; short_begin += kShort) {
      float sums[Sums][kWidth] = {};
      for (std::int64_t place = short_begin; place < std::min(places, short_begin + kShort); ++place) {
        visit((picture * places + place) * columns + first, sums);
      }
      for (int i = 0; i < Sums; ++i) {
        for (int c = 0; c < kWidth; ++c) {
          totals[i][c] += sums[i][c];
        }
      }
    }
  }

  // The sum over the columns of a group of picture `picture` in an array [pictures, columns].
  template <class Term>
  float sum_group(int picture, int group, const Term& term) const {
    float sum = 0;
    for (int c = group * of_group; c < (group + 1) * of_group; ++c) {
      sum += term(c, std::int64_t{picture} * columns + c);
    }
    return sum;
  }

  // The numbers of the groups, [pictures, groups], that columns first .. behind - 1 belong to, for each of the columns.
  void spread(const float* of_groups, int picture, int first, int behind, float (&to)[kWidth]) const {
    for (int c = first; c < behind; ++c) {
      to[c - first] = of_groups[std::int64_t{picture} * groups + c / of_group];
    }
  }
};

template <class T>
void normalize_pictures(CpuContext& context, const GroupNorm& p, View x_view, View gamma, View beta, View y_view,
                        View mean_view, View rstd_view) {
  const Pictures pictures(context, p, x_view.shape);
  const std::int64_t columns = pictures.columns;
  const T* const x = x_view.as<const T>();
  T* const y = y_view.as<T>();
  float *const mean = mean_view.as<float>(), *const rstd = rstd_view.as<float>();
  auto* const means_of_columns = static_cast<float*>(context.partials());  // [2, pictures, columns]
  float* const squares_of_columns = means_of_columns + pictures.pictures * columns;
  const auto count = static_cast<float>(pictures.places * pictures.of_group);
  // Of the groups that begin among the columns, so that each is taken once; of theirs all columns are summed by then.
  const auto each_group = [&](int first, int behind, const auto& take) {
    for (int group = (first + pictures.of_group - 1) / pictures.of_group; group * pictures.of_group < behind; ++group) {
      take(group);
    }
  };
  pictures.run(
      [&](int picture, int first, int behind) {  // from the first place on: differences that a large mean leaves small
        float totals[1][kWidth] = {}, start[kWidth] = {};
        const int width = behind - first;
        const std::int64_t begin = picture * pictures.places * columns + first;
        for (int c = 0; c < width; ++c) {
          start[c] = to_float(x[begin + c]);
        }
        pictures.sum_places(
            picture, first,
            [&](std::int64_t offset, float(&sums)[1][kWidth]) {
#pragma omp simd
              for (int c = 0; c < width; ++c) {
                sums[0][c] += to_float(x[offset + c]) - start[c];
              }
            },
            totals);
        for (int c = 0; c < width; ++c) {
          means_of_columns[picture * columns + first + c] =
              start[c] + totals[0][c] / static_cast<float>(pictures.places);
        }
      },
      [&](int picture, int first, int behind) {
        each_group(first, behind, [&](int group) {
          const float start = means_of_columns[picture * columns + group * pictures.of_group];
          mean[picture * pictures.groups + group] =
              start + pictures.sum_group(picture, group, [&](int, std::int64_t i) {
                return means_of_columns[i] - start;
              }) / static_cast<float>(pictures.of_group);
        });
      },
      [&](int picture, int first, int behind) {
        float totals[1][kWidth] = {}, m[kWidth] = {};
        const int width = behind - first;
        pictures.spread(mean, picture, first, behind, m);
        pictures.sum_places(
            picture, first,
            [&](std::int64_t offset, float(&sums)[1][kWidth]) {
#pragma omp simd
              for (int c = 0; c < width; ++c) {
                const float difference = to_float(x[offset + c]) - m[c];
                sums[0][c] += difference * difference;
              }
            },
            totals);
        std::copy_n(totals[0], width, squares_of_columns + picture * columns + first);
      },
      [&](int picture, int first, int behind) {
        each_group(first, behind, [&](int group) {
          const float squares =
              pictures.sum_group(picture, group, [&](int, std::int64_t i) { return squares_of_columns[i]; });
          rstd[picture * pictures.groups + group] = 1.0F / std::sqrt(squares / count + p.epsilon);
        });
      },
      [&](int picture, int first, int behind) {
        float m[kWidth] = {}, scale[kWidth] = {}, shift[kWidth] = {};
        const int width = behind - first;
        pictures.spread(mean, picture, first, behind, m);
        pictures.spread(rstd, picture, first, behind, scale);
        for (int c = 0; c < width && gamma.data != nullptr; ++c) {
          scale[c] *= gamma.as<const float>()[first + c];
          shift[c] = beta.as<const float>()[first + c];
        }
        for (std::int64_t place = 0; place < pictures.places; ++place) {
          const std::int64_t offset = (picture * pictures.places + place) * columns + first;
#pragma omp simd
          for (int c = 0; c < width; ++c) {
            y[offset + c] = from_float<T>((to_float(x[offset + c]) - m[c]) * scale[c] + shift[c]);
          }
        }
      });
}

template <class T>
void differentiate_pictures(CpuContext& context, const GroupNorm& p, View dy_view, View x_view, View gamma,
                            View mean_view, View rstd_view, View dx_view, View dgamma, View dbeta) {
  const Pictures pictures(context, p, x_view.shape);
  const std::int64_t columns = pictures.columns;
  const T *const dy = dy_view.as<const T>(), *const x = x_view.as<const T>();
  T* const dx = dx_view.as<T>();
  const float *const mean = mean_view.as<const float>(), *const rstd = rstd_view.as<const float>();
  auto* const dy_sums = static_cast<float*>(context.partials());      // [pictures, columns]
  float* const product_sums = dy_sums + pictures.pictures * columns;  // of dy h
  const float share = 1.0F / static_cast<float>(pictures.places * pictures.of_group);
  const auto gain = [&](int column) { return gamma.data == nullptr ? 1.0F : gamma.as<const float>()[column]; };
  pictures.run(
      [&](int picture, int first, int behind) {
        float totals[2][kWidth] = {}, m[kWidth] = {}, r[kWidth] = {};
        const int width = behind - first;
        pictures.spread(mean, picture, first, behind, m);
        pictures.spread(rstd, picture, first, behind, r);
        pictures.sum_places(
            picture, first,
            [&](std::int64_t offset, float(&sums)[2][kWidth]) {
#pragma omp simd
              for (int c = 0; c < width; ++c) {
                const float gradient = to_float(dy[offset + c]);
                sums[0][c] += gradient;
                sums[1][c] += gradient * ((to_float(x[offset + c]) - m[c]) * r[c]);
              }
            },
            totals);
        std::copy_n(totals[0], width, dy_sums + picture * columns + first);
        std::copy_n(totals[1], width, product_sums + picture * columns + first);
      },
      [&](int picture, int first, int behind) {
        float m[kWidth] = {}, r[kWidth] = {}, scale[kWidth] = {}, shift[kWidth] = {}, slope[kWidth] = {};
        const int width = behind - first;
        pictures.spread(mean, picture, first, behind, m);
        pictures.spread(rstd, picture, first, behind, r);
        for (int c = first, group = -1; c < behind; ++c) {
          const bool is_of_last = c / pictures.of_group == group;
          group = c / pictures.of_group;
          scale[c - first] = gain(c);
          const auto sum = [&](const float* sums) {
            return share * pictures.sum_group(picture, group, [&](int k, std::int64_t i) { return gain(k) * sums[i]; });
          };
          shift[c - first] = is_of_last ? shift[c - first - 1] : sum(dy_sums);
          slope[c - first] = is_of_last ? slope[c - first - 1] : sum(product_sums);
        }
        for (std::int64_t place = 0; place < pictures.places; ++place) {
          const std::int64_t offset = (picture * pictures.places + place) * columns + first;
#pragma omp simd
          for (int c = 0; c < width; ++c) {
            const float h = (to_float(x[offset + c]) - m[c]) * r[c];
            dx[offset + c] = from_float<T>(r[c] * (scale[c] * to_float(dy[offset + c]) - shift[c] - h * slope[c]));
          }
        }
      });
  for (int c = 0; c < columns && gamma.data != nullptr; ++c) {
    float products = 0, gradients = 0;
    for (int picture = 0; picture < pictures.pictures; ++picture) {
      products += product_sums[picture * columns + c];
      gradients += dy_sums[picture * columns + c];
    }
    dgamma.as<float>()[c] = products;
    dbeta.as<float>()[c] = gradients;
  }
}

bool is_by_place(const GroupNorm& p, View x) {
  return p.each_pixel || x.shape.row_count() == x.shape.back();
}

}  // namespace

void group_norm_forward(CpuContext& context, const GroupNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    if (is_by_place(p, x)) {
      normalize_places<T>(context, p, x, gamma, beta, y, mean, rstd);
    } else {
      normalize_pictures<T>(context, p, x, gamma, beta, y, mean, rstd);
    }
  });
}

void group_norm_backward(CpuContext& context, const GroupNorm& p, View dy, View x, View gamma, View mean, View rstd,
                         View dx, View dgamma, View dbeta) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    if (is_by_place(p, x)) {
      differentiate_places<T>(context, p, dy, x, gamma, mean, rstd, dx, dgamma, dbeta);
    } else {
      differentiate_pictures<T>(context, p, dy, x, gamma, mean, rstd, dx, dgamma, dbeta);
    }
  });
}

}  // namespace duel
