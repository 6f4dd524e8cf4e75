// The s8 depthwise convolution in plain C++: the specification of every other one.
#ifndef PARE_KERNELS_SCALAR_DEPTHWISE_S8_HPP
#define PARE_KERNELS_SCALAR_DEPTHWISE_S8_HPP

#include <pare/kernels/depthwise_s8.hpp>
#include <pare/kernels/scalar/gemm_s8.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// One block of the convolution, an output at a time.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  const window& w = args.window;
  const index_t nr = args.out.tile_columns;
  const auto rows = pare::detail::vertical(w), columns = pare::detail::horizontal(w);
  const index_t first = block.first_panel * nr;
  const index_t last = pare::detail::min(args.out.columns, block.last_panel * nr);
  gemm_s8_args out = args.out;
  for (index_t y = block.first_row; y < block.last_row; ++y) {
    out.c = output_line(args, block.image, y);
    const index_t in_y = y * w.stride_y - w.pad_top;
    const auto taps_y = pare::detail::taps_inside(rows, in_y, args.height);
    for (index_t x = 0; x < args.out_width; ++x) {
      const index_t in_x = x * w.stride_x - w.pad_left;
      const auto taps_x = pare::detail::taps_inside(columns, in_x, args.width);
      const std::uint8_t* image = args.x + block.image * args.image_stride;
      for (index_t channel = first; channel < last; ++channel) {
        const std::int8_t* weights = args.panels + channel / nr * args.panel_bytes;
        // Unsigned arithmetic: sums beyond 32 bits wrap, as they do in vector registers.
        std::uint32_t acc =
            out.bias_codes != nullptr ? static_cast<std::uint32_t>(out.bias_codes[channel]) : 0u;
        for (index_t i = taps_y.first; i < taps_y.last; ++i) {
          const std::uint8_t* row =
              image + (in_y + i * w.dilation_y) * args.row_stride + channel / args.multiplier;
          for (index_t j = taps_x.first; j < taps_x.last; ++j) {
            const std::int32_t code =
                row[(in_x + j * w.dilation_x) * args.pixel_stride] ^ out.a_flip;
            const std::int32_t weight =
                weights[pare::detail::depthwise_offset(w, nr, i, j, channel % nr)];
            acc += static_cast<std::uint32_t>((code - out.offset) * weight);
          }
        }
        store(out, x, channel, static_cast<std::int32_t>(acc));
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_DEPTHWISE_S8_HPP
