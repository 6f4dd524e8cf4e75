// y = act(x * W^T + bias) with int8 weights: the one call for every kind of activation and every
// machine.
#ifndef PARE_KERNELS_LINEAR_HPP
#define PARE_KERNELS_LINEAR_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/workspace.hpp>
#include <pare/format/code_limits.hpp>
#include <pare/kernels/linear_shapes.hpp>
#include <pare/kernels/output_writer.hpp>
#include <pare/kernels/pack_linear.hpp>
#include <pare/kernels/quantize_rows.hpp>
#include <pare/kernels/scalar/gemm_s8.hpp>
#include <pare/kernels/select_linear.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/gemm_s8_2x4c4_dsp.hpp>
#include <pare/kernels/cortex_m/gemm_s8_2x4c4_mve.hpp>
#include <pare/kernels/neon/gemm_s8_2x16c4_neon.hpp>
#include <pare/kernels/neon/gemm_s8_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_s8_6x16c8_i8mm.hpp>
#include <pare/kernels/neon/quantize_rows_neon.hpp>
#include <pare/kernels/x86/gemm_s8_2x16c4_sse2.hpp>
#include <pare/kernels/x86/gemm_s8_4x16c4_avx2.hpp>
#include <pare/kernels/x86/gemm_s8_6x16c4_avx512bw.hpp>
#include <pare/kernels/x86/gemm_s8_6x16c4_avxvnni.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>
#include <pare/kernels/x86/quantize_rows_avx2.hpp>
#include <pare/kernels/x86/quantize_rows_avx512.hpp>
#endif

/// Bytes on the stack for the codes of float activations, where `linear` is called without a
/// workspace.
#ifndef PARE_LINEAR_STACK_BYTES
#define PARE_LINEAR_STACK_BYTES 16384
#endif

namespace pare {
namespace detail {

using gemm_function = void (*)(const kernels::gemm_s8_args&, const kernels::gemm_block&) noexcept;

/// The kernels of one instruction set.
struct linear_kernels {
  gemm_function gemm;
  kernels::row_quantization (*row_range)(const float*, index_t) noexcept;
  /// Like `kernels::quantize_each_row`.
  void (*quantize_rows)(const float*, index_t, index_t, index_t, index_t, std::uint8_t*, index_t,
                        float*, std::int32_t*) noexcept;
};

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE linear_kernels linear_kernels_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE linear_kernels linear_kernels_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni:
      return {kernels::avx512vnni::gemm_s8, kernels::avx512vnni::row_range,
              kernels::avx512vnni::quantize_rows};
    case isa::avxvnni:
      return {kernels::avxvnni::gemm_s8, kernels::avx2::row_range,
              kernels::quantize_each_row<kernels::avx2::row_range, kernels::avx2::quantize_row>};
    case isa::avx512bw:
      return {kernels::avx512bw::gemm_s8, kernels::avx2::row_range,
              kernels::quantize_each_row<kernels::avx2::row_range, kernels::avx2::quantize_row>};
    case isa::avx2:
      return {kernels::avx2::gemm_s8, kernels::avx2::row_range,
              kernels::quantize_each_row<kernels::avx2::row_range, kernels::avx2::quantize_row>};
    case isa::sse2:
      return {
          kernels::sse2::gemm_s8, kernels::scalar::row_range,
          kernels::quantize_each_row<kernels::scalar::row_range, kernels::scalar::quantize_row>};
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm:
      return {kernels::i8mm::gemm_s8, kernels::neon::row_range,
              kernels::quantize_each_row<kernels::neon::row_range, kernels::neon::quantize_row>};
    case isa::dotprod:
      return {kernels::dotprod::gemm_s8, kernels::neon::row_range,
              kernels::quantize_each_row<kernels::neon::row_range, kernels::neon::quantize_row>};
    case isa::neon:
      return {kernels::neon::gemm_s8, kernels::neon::row_range,
              kernels::quantize_each_row<kernels::neon::row_range, kernels::neon::quantize_row>};
#endif
#if PARE_NEON32_KERNELS
    case isa::neon:
      return {
          kernels::neon::gemm_s8, kernels::scalar::row_range,
          kernels::quantize_each_row<kernels::scalar::row_range, kernels::scalar::quantize_row>};
#endif
    default:
#if PARE_MVE_KERNELS
      return {
          kernels::mve::gemm_s8, kernels::scalar::row_range,
          kernels::quantize_each_row<kernels::scalar::row_range, kernels::scalar::quantize_row>};
#elif PARE_DSP_KERNELS
      return {
          kernels::dsp::gemm_s8, kernels::scalar::row_range,
          kernels::quantize_each_row<kernels::scalar::row_range, kernels::scalar::quantize_row>};
#else
      return {
          kernels::scalar::gemm_s8, kernels::scalar::row_range,
          kernels::quantize_each_row<kernels::scalar::row_range, kernels::scalar::quantize_row>};
#endif
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// Cortex-M: nothing is gained by blocks but work for several threads.
inline constexpr bool has_no_caches = PARE_DSP_KERNELS || PARE_MVE_KERNELS;

/// How a product is cut into blocks: by its shape alone, so that results and order do not depend on
/// threads. A block's activations stay in the second-level cache while the panels pass by.
struct linear_blocks {
  index_t rows, panels, row_blocks, panel_blocks;
};

constexpr linear_blocks blocks_of(index_t rows, index_t panels, index_t k,
                                  index_t tile_columns) noexcept {
  constexpr index_t cache_bytes = 256 * 1024, block_products = 4 * 1024 * 1024, row_multiple = 48;
  linear_blocks b{};
  const index_t fitting = cache_bytes / max<index_t>(k, 1) / row_multiple * row_multiple;
  b.rows = clamp<index_t>(fitting, row_multiple,
                          max<index_t>(row_multiple, round_up(rows, row_multiple)));
  const index_t panel_products = max<index_t>(1, min(rows, b.rows) * tile_columns * k);
  b.panels = clamp<index_t>(ceil_div(block_products, panel_products), 1, max<index_t>(panels, 1));
  b.row_blocks = ceil_div(rows, b.rows);
  b.panel_blocks = ceil_div(panels, b.panels);
  return b;
}

/// Runs a product block by block.
///
/// @param k  bytes of a row
template <class Args, class Parallel>
void run_blocks(void (*gemm)(const Args&, const kernels::gemm_block&) noexcept, const Args& args,
                index_t panels, index_t k, index_t tile_columns,
                const Parallel& parallel_for) noexcept {
  if constexpr (has_no_caches && std::is_same_v<Parallel, serial>) {
    return gemm(args, {0, args.rows, 0, panels});
  }
  const linear_blocks b = blocks_of(args.rows, panels, k, tile_columns);
  parallel_for(b.row_blocks * b.panel_blocks, [&](index_t i) {
    const index_t row = i / b.panel_blocks * b.rows, panel = i % b.panel_blocks * b.panels;
    gemm(args, {row, min(row + b.rows, args.rows), panel, min(panel + b.panels, panels)});
  });
}

template <class Parallel>
void run_gemm(gemm_function gemm, const kernels::gemm_s8_args& args,
              const Parallel& parallel_for) noexcept {
  run_blocks(gemm, args, ceil_div(args.columns, args.tile_columns),
             kernels::panel_bytes(args) / args.tile_columns, args.tile_columns, parallel_for);
}

/// What all forms of `linear` share: the weights.
inline kernels::gemm_s8_args args_of(const packed_linear_view& layer, index_t rows) noexcept {
  kernels::gemm_s8_args args;
  args.rows = rows;
  args.columns = layer.out_features;
  args.k = layer.in_features;
  args.tile_columns = layer.tile_columns;
  args.k_group = layer.k_group;
  args.panels = layer.panels;
  args.sums = layer.sums;
  args.has_minus_128 = layer.has_minus_128;
  return args;
}

inline void set_float_output(kernels::gemm_s8_args& args,
                             const packed_linear_view& layer) noexcept {
  const activation_range range = range_of(layer.options.act);
  args.kind = kernels::output_kind::f32;
  args.write = real_writer();
  args.column_scales = layer.scales;
  args.bias = layer.bias;
  args.clamp_low = range.low;
  args.clamp_high = range.high;
}

/// What outputs become, as far as it is known where a layer is: on Cortex-M constants there, so that
/// nothing else is linked.
struct output_choice {
  kernels::output_writer write;  ///< for the layer's rule
  std::int32_t low, high;        ///< codes that the activation leaves
};

/// For outputs of type Y.
template <class Y>
PARE_CHOICE_INLINE output_choice output_choice_of(const linear_options& options) noexcept {
  output_choice choice{output_writer_of<Y>(options.rule), 0, 0};
  if constexpr (sizeof(Y) == 1) {
    constexpr std::int32_t least = std::is_signed_v<Y> ? -128 : 0,
                           most = std::is_signed_v<Y> ? 127 : 255;
    const affine_params& output = options.output;
    choice.low = options.act == activation::none ? least : max(least, output.zero_point);
    choice.high = most;
    if (options.act == activation::relu6) {
      choice.high = max(choice.low, code_of_six(output.scale, output.zero_point, most));
    }
  }
  return choice;
}

/// Codes as outputs.
inline void set_code_output(kernels::gemm_s8_args& args, const packed_linear_view& layer,
                            const output_choice& choice) noexcept {
  args.kind = kernels::output_kind::q8;
  args.write = choice.write;
  args.rule = layer.options.rule;
  args.bias_codes = layer.bias_codes;
  args.factors = layer.factors;
  args.multipliers = layer.multipliers;
  args.shifts = layer.shifts;
  args.zero_point = layer.options.output.zero_point;
  args.low = choice.low;
  args.high = choice.high;
}

template <class Code>
constexpr bool is_code(std::int32_t zero_point) noexcept {
  return std::is_signed_v<Code> ? zero_point >= -128 && zero_point <= 127
                                : zero_point >= 0 && zero_point <= 255;
}

/// How codes of type X go in, and values of type Y come out.
///
/// @param choice  `output_choice_of<Y>` the layer's options
template <class X, class Y>
void set_codes(kernels::gemm_s8_args& args, const packed_linear_view& layer,
               const output_choice& choice) noexcept {
  args.a_flip = std::is_signed_v<X> ? 0x80 : 0;
  args.offset = layer.options.input.zero_point + (std::is_signed_v<X> ? 128 : 0);
  if constexpr (std::is_same_v<Y, std::int32_t>) {
    args.bias_codes = layer.bias_codes;
    args.write = choice.write;
  } else if constexpr (std::is_same_v<Y, float>) {
    set_float_output(args, layer);
    args.scale = layer.options.input.scale;
  } else {
    set_code_output(args, layer, choice);
  }
}

/// Whether `layer` knows the scales and zero points that codes of type X and outputs of type Y need.
template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_codes(const linear_options& options) noexcept {
  if (!std::is_same_v<Y, std::int32_t> && options.input.scale == 0.0f) {
    return {status_code::invalid_argument, "the layer was packed without the scale of its inputs",
            "input.scale"};
  }
  if (!is_code<X>(options.input.zero_point)) {
    return {status_code::out_of_range, "the layer's input zero point is no code of x",
            "input.zero_point"};
  }
  if constexpr (sizeof(Y) == 1) {
    if (options.output.scale == 0.0f) {
      return {status_code::invalid_argument,
              "the layer was packed without the scale of its outputs", "output.scale"};
    }
    if (!is_code<Y>(options.output.zero_point)) {
      return {status_code::out_of_range, "the layer's output zero point is no code of y",
              "output.zero_point"};
    }
  }
  return {};
}

/// Cortex-M kernels read panels of four columns alone: others are for other machines.
constexpr PARE_CHOICE_INLINE status check_panels(const packed_linear_view& layer) noexcept {
#if PARE_DSP_KERNELS || PARE_MVE_KERNELS
  if (layer.tile_columns != 4) {
    return {status_code::unsupported, "the layer was packed for another machine", "layer"};
  }
#endif
  static_cast<void>(layer);
  return {};
}

template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_linear_codes(const strided_matrix_view<const X>& x,
                                                       const packed_linear_view& layer,
                                                       const strided_matrix_view<Y>& y) noexcept {
  PARE_RETURN_IF_ERROR(check_panels(layer));
  PARE_RETURN_IF_ERROR(check_linear_shapes(x, layer.in_features, layer.out_features, y));
  return check_codes<X, Y>(layer.options);
}
template <class X, class Y>
PARE_NOINLINE status check_linear_codes_apart(const strided_matrix_view<const X>& x,
                                              const packed_linear_view& layer,
                                              const strided_matrix_view<Y>& y) noexcept {
  return check_linear_codes(x, layer, y);
}

/// s8 or u8 activations, after the checks.
template <class X, class Y, class Parallel>
void run_linear_codes(gemm_function gemm, const output_choice& choice,
                      const strided_matrix_view<const X>& x, const packed_linear_view& layer,
                      const strided_matrix_view<Y>& y, const Parallel& parallel_for) noexcept {
  kernels::gemm_s8_args args = args_of(layer, x.extent(0));
  args.a = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  args.a_stride = x.stride(0);
  args.c = y.data_handle();
  args.c_stride = y.stride(0);
  set_codes<X, Y>(args, layer, choice);
  if (args.rows > 0 && args.columns > 0) run_gemm(gemm, args, parallel_for);
}

template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status linear_codes(gemm_function gemm, const strided_matrix_view<const X>& x,
                                       const packed_linear_view& layer,
                                       const strided_matrix_view<Y>& y,
                                       const Parallel& parallel_for) noexcept {
  const output_choice choice = output_choice_of<Y>(layer.options);
  if (!are_known(x.extent(1), layer.in_features) || !check_linear_codes(x, layer, y).is_ok()) {
    PARE_RETURN_IF_ERROR(check_linear_codes_apart(x, layer, y));
  }
  run_linear_codes(gemm, choice, x, layer, y, parallel_for);
  return {};
}

/// Bytes from row to row of the codes that float activations become.
constexpr index_t code_stride(index_t in_features) noexcept {
  return round_up(max<index_t>(in_features, 1), 64);
}

/// Scratch for `rows` rows of float activations; false where it overflows.
constexpr bool float_workspace_bytes(index_t in_features, index_t rows, index_t& bytes) noexcept {
  if (in_features < 0 || rows < 0 || in_features > max_index - 64) return false;
  index_t codes = 0;
  if (!checked_multiply(rows, code_stride(in_features), codes) || rows > max_index / 16)
    return false;
  return checked_add(codes, 2 * workspace::bytes_for<float>(rows), bytes);
}

/// Float activations as codes.
struct quantized_rows {
  const std::uint8_t* codes = nullptr;
  index_t stride = 0;  ///< from row to row
  const float* scales = nullptr;
  const std::int32_t* zero_points = nullptr;
};

/// Rows of floats become codes in `scratch`.
///
/// @return `workspace_too_small`, `non_finite`
template <class Parallel>
status quantize_float_rows(const linear_kernels& kernel, const strided_matrix_view<const float>& x,
                           workspace scratch, quantized_rows& quantized,
                           const Parallel& parallel_for) noexcept {
  const index_t rows = x.extent(0), k = x.extent(1), stride = code_stride(k);
  std::uint8_t* codes = scratch.take<std::uint8_t>(rows * stride);
  float* scales = scratch.take<float>(rows);
  std::int32_t* zero_points = scratch.take<std::int32_t>(rows);
  if (codes == nullptr || scales == nullptr || zero_points == nullptr) {
    index_t needed = 0;
    static_cast<void>(float_workspace_bytes(k, rows, needed));
    return {status_code::workspace_too_small,
            "the scratch is shorter than linear_workspace_size says", "scratch",
            position_kind::byte, needed};
  }
  const index_t block_rows = max<index_t>(1, 65536 / stride), blocks = ceil_div(rows, block_rows);
  parallel_for(blocks, [&](index_t block) {
    const index_t first = block * block_rows, count = min(block_rows, rows - first);
    kernel.quantize_rows(x.data_handle() + first * x.stride(0), x.stride(0), count, k, k,
                         codes + first * stride, stride, scales + first, zero_points + first);
  });
  for (index_t i = 0; i < rows; ++i) {
    if (zero_points[i] < 0) {
      return {status_code::non_finite, "an activation is NaN or infinite", "x", position_kind::row,
              i};
    }
  }
  quantized = {codes, stride, scales, zero_points};
  return {};
}

/// What was floats goes in, floats come out.
inline void set_float_rows(kernels::gemm_s8_args& args, const packed_linear_view& layer,
                           const quantized_rows& x, const strided_matrix_view<float>& y) noexcept {
  args.a = x.codes;
  args.a_stride = x.stride;
  args.c = y.data_handle();
  args.c_stride = y.stride(0);
  set_float_output(args, layer);
  args.row_scales = x.scales;
  args.row_zero_points = x.zero_points;
}

/// f32 activations: codes for each row, then the product.
template <class Parallel>
status linear_float_rows(const linear_kernels& kernel, const strided_matrix_view<const float>& x,
                         const packed_linear_view& layer, const strided_matrix_view<float>& y,
                         workspace scratch, const Parallel& parallel_for) noexcept {
  quantized_rows quantized;
  PARE_RETURN_IF_ERROR(quantize_float_rows(kernel, x, scratch, quantized, parallel_for));
  kernels::gemm_s8_args args = args_of(layer, x.extent(0));
  set_float_rows(args, layer, quantized, y);
  run_gemm(kernel.gemm, args, parallel_for);
  return {};
}

/// Without scratch from the caller: as many rows at a time as fit on the stack.
template <class Parallel>
status linear_float_on_stack(const linear_kernels& kernel,
                             const strided_matrix_view<const float>& x,
                             const packed_linear_view& layer, const strided_matrix_view<float>& y,
                             const Parallel& parallel_for) noexcept {
  alignas(64) std::byte scratch[PARE_LINEAR_STACK_BYTES];
  const index_t rows = x.extent(0), row_bytes = code_stride(layer.in_features) + 8;
  const index_t at_once = (static_cast<index_t>(sizeof(scratch)) - 128) / row_bytes;
  if (at_once < 1) {
    index_t needed = 0;
    if (!float_workspace_bytes(layer.in_features, rows, needed)) needed = 0;
    return {status_code::workspace_too_small,
            "a row of activations does not fit into PARE_LINEAR_STACK_BYTES: pass a workspace",
            "scratch", position_kind::byte, needed};
  }
  if (rows > at_once) {
    // Several rounds: all rows are checked before the first result is written.
    for (index_t i = 0; i < rows; ++i) {
      if (!kernel.row_range(x.data_handle() + i * x.stride(0), layer.in_features).finite) {
        return {status_code::non_finite, "an activation is NaN or infinite", "x",
                position_kind::row, i};
      }
    }
  }
  for (index_t row = 0; row < rows; row += at_once) {
    const index_t n = min(at_once, rows - row);
    const auto x_rows = view_rows(x.data_handle() + row * x.stride(0), n, x.extent(1), x.stride(0));
    const auto y_rows = view_rows(y.data_handle() + row * y.stride(0), n, y.extent(1), y.stride(0));
    PARE_RETURN_IF_ERROR(
        linear_float_rows(kernel, x_rows, layer, y_rows, workspace(scratch), parallel_for));
  }
  return {};
}

/// Every form of `linear` whose layer has the parts of `packed_linear_view`.
///
/// @param kernel  reads the layer's panels
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel>
PARE_CHOICE_INLINE status linear_by(const linear_kernels& kernel, const tensor_view<X, EX, LX>& x,
                                    const packed_linear_view& layer,
                                    const tensor_view<Y, EY, LY>& y, workspace scratch,
                                    const Parallel& parallel_for) noexcept {
  static_assert(EX::rank() == 2 && EY::rank() == 2, "pare: activations are [rows, features]");
  using code = std::remove_const_t<X>;
  static_assert(std::is_same_v<code, float> || std::is_same_v<code, std::int8_t> ||
                    std::is_same_v<code, std::uint8_t>,
                "pare: activations are float, int8_t or uint8_t");
  static_assert(std::is_same_v<Y, float> || std::is_same_v<Y, std::int32_t> ||
                    std::is_same_v<Y, std::int8_t> || std::is_same_v<Y, std::uint8_t>,
                "pare: outputs are float, int32_t, int8_t or uint8_t");
  const strided_matrix_view<const code> rows(x);
  const strided_matrix_view<Y> out(y);
  if constexpr (std::is_same_v<code, float>) {
    static_assert(std::is_same_v<Y, float>, "pare: float activations give float outputs");
    PARE_RETURN_IF_ERROR(check_panels(layer));
    PARE_RETURN_IF_ERROR(check_linear_shapes(rows, layer.in_features, layer.out_features, out));
    if (rows.extent(0) == 0 || layer.out_features == 0) return {};
    if (scratch.size() == 0) return linear_float_on_stack(kernel, rows, layer, out, parallel_for);
    return linear_float_rows(kernel, rows, layer, out, scratch, parallel_for);
  } else {
    return linear_codes(kernel.gemm, rows, layer, out, parallel_for);
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `linear` uses for `rows` rows of float activations, exact for 64-byte
/// aligned memory. 8-bit activations need none.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> linear_workspace_size(index_t in_features,
                                                              index_t rows) noexcept {
  index_t bytes = 0;
  if (!detail::float_workspace_bytes(in_features, rows, bytes)) {
    return {status_code::overflow, "the scratch does not fit the index type", "rows"};
  }
  return bytes;
}

/// y = act(x * W^T + bias), int8 weights.
///
/// | x      | y      | what happens                                            | packed with     |
/// |--------|--------|---------------------------------------------------------|-----------------|
/// | f32    | f32    | rows become u8 on the fly (kernels/quantize_rows.hpp),  | -               |
/// |        |        | products in s32, back to f32                            |                 |
/// | s8, u8 | s32    | sum of (x - zero point) * w, plus the bias in codes; no | input (or none) |
/// |        |        | activation                                              |                 |
/// | s8, u8 | f32    | the same, scaled, plus the bias in reals                | input           |
/// | s8, u8 | s8, u8 | requantized by the rule the layer was packed with,      | input, output   |
/// |        |        | activation as a clamp                                   |                 |
///
/// Products are exact; sums beyond 32 bits wrap. All instruction sets and any number of threads
/// give the same bits.
///
/// @param x             [rows, in]; columns side by side, rows any stride apart
/// @param layer         from `pack_linear`
/// @param y             [rows, out]; as x; must not overlap x
/// @param scratch       for f32: `linear_workspace_size` bytes, all rows then pass the weights at
///                      once; without it, rows go through PARE_LINEAR_STACK_BYTES on the stack
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `unsupported` (columns apart; on Cortex-M, a layer packed for another
///         machine), `invalid_argument` (packed without a scale that is needed), `out_of_range`
///         (zero point), `non_finite` with the row of x, `workspace_too_small`; y is then untouched
///
/// Never allocates. 0 rows, columns or inputs are fine: without inputs, y is act(bias).
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status linear(const tensor_view<X, EX, LX>& x, const packed_linear_view& layer,
                                 const tensor_view<Y, EY, LY>& y, workspace scratch = {},
                                 const Parallel& parallel_for = {}) noexcept {
  return detail::linear_by(detail::linear_kernels_of(linear_kernel(layer)), x, layer, y, scratch,
                           parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_LINEAR_HPP
