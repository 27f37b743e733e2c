#include "kernels/crop_pictures.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>

namespace duel {

void crop_pictures(CpuContext& context, const CropPictures& p, View x, View step, View y) {
  const int channels = x.shape[3], rows = y.shape[1], columns = y.shape[2];
  const std::int64_t row = std::int64_t{x.shape[2]} * channels, picture = x.shape.row_count();
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / y.shape.row_count());
    parallel_ranges(context, x.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const PictureCrop crop = picture_crop(p, x.shape[1], x.shape[2], now, static_cast<std::uint32_t>(n));
        const T* const part = x.as<const T>() + n * picture + std::int64_t{crop.top} * p.scale * row +
                              std::int64_t{crop.left} * p.scale * channels;
        T* to = y.as<T>() + n * y.shape.row_count();
        for (int h = 0; h < rows; ++h) {
          for (int w = 0; w < columns; ++w, to += channels) {
            const int along_v = crop.is_turned ? w : h, along_u = crop.is_turned ? h : w;
            const int v = crop.is_upside_down ? rows - 1 - along_v : along_v;
            const int u = crop.is_mirrored ? columns - 1 - along_u : along_u;
            std::copy_n(part + v * row + std::int64_t{u} * channels, channels, to);
          }
        }
      }
    });
  });
}

}  // namespace duel
