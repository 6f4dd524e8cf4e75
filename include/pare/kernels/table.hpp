// Activations of 8-bit codes by a table of 256 entries: sigmoid, tanh, GELU, hard swish, any
// function of one number.
//
// The rule is that of TensorFlow Lite (LUTPopulate in kernels/internal/common.h).
//
//     constexpr auto table = pare::make_table<std::int8_t, std::int8_t>(in, out, f).value();
//     pare::apply_table(x, table, y);
//
// A table is plain data: made on the host or by the compiler, it stands in flash.
#ifndef PARE_KERNELS_TABLE_HPP
#define PARE_KERNELS_TABLE_HPP

#include <pare/format/code_limits.hpp>
#include <pare/kernels/element_runs.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/scalar/table.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/neon/table_neon.hpp>
#include <pare/kernels/x86/table_avx2.hpp>
#include <pare/kernels/x86/table_avx512.hpp>
#endif

namespace pare {

/// A function of one 8-bit code.
///
/// @tparam X  std::int8_t or std::uint8_t, the codes it takes
/// @tparam Y  the same, the codes it gives
template <class X, class Y = X>
struct code_table {
  static_assert(detail::is_code_type<X> && detail::is_code_type<Y>,
                "pare: codes are std::int8_t or std::uint8_t");

  /// The code for x stands at static_cast<std::uint8_t>(x): for s8 the codes of 0 to 127 come
  /// first, then those of -128 to -1.
  Y codes[256] = {};

  constexpr PARE_ALWAYS_INLINE Y operator()(X x) const noexcept {
    return codes[static_cast<std::uint8_t>(x)];
  }
};

namespace detail {

/// The kernels of one instruction set.
struct table_kernels {
  void (*apply)(const std::uint8_t* x, index_t n, const std::uint8_t* table,
                std::uint8_t* y) noexcept;
};

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE table_kernels table_kernels_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE table_kernels table_kernels_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return {kernels::avx512vnni::apply_table};
    case isa::avxvnni:
    case isa::avx512bw:
    case isa::avx2: return {kernels::avx2::apply_table};
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm:
    case isa::dotprod:
    case isa::neon: return {kernels::neon::apply_table};
#endif
    default: return {kernels::scalar::apply_table};
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

template <class X, class Y>
constexpr status check_elementwise(const X& x, const Y& y) noexcept {
  if (!same_shape(x, y)) {
    return {status_code::shape_mismatch, "x and y must have the same shape", "y"};
  }
  PARE_RETURN_IF_ERROR(check_unit_run(x, "x"));
  return check_unit_run(y, "y");
}

/// The bytes of a code.
template <class Code>
PARE_ALWAYS_INLINE const std::uint8_t* bytes_of(const Code* codes) noexcept {
  static_assert(is_code_type<Code>, "pare: codes are std::int8_t or std::uint8_t");
  return reinterpret_cast<const std::uint8_t*>(codes);
}
template <class Code>
PARE_ALWAYS_INLINE std::uint8_t* bytes_of(Code* codes) noexcept {
  static_assert(is_code_type<Code>, "pare: codes are std::int8_t or std::uint8_t");
  return reinterpret_cast<std::uint8_t*>(codes);
}

/// Shapes and strides have been checked.
template <class X, class TableX, class TableY, class Y, class Parallel>
void apply_table_checked(const X& x, const code_table<TableX, TableY>& table, const Y& y,
                         const Parallel& parallel_for) noexcept {
  const table_kernels kernel = table_kernels_of(active_isa());
  const std::uint8_t* from = bytes_of(x.data_handle());
  std::uint8_t* to = bytes_of(y.data_handle());
  for_each_run(runs_of(x, y), parallel_for, [&](const index_t(&at)[2], index_t n) {
    kernel.apply(from + at[0], n, bytes_of(table.codes), to + at[1]);
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The table of `f` between codes:
///
///     clamp(round(f(scale_x * (x - zero_point_x)) * (1 / scale_y)) + zero_point_y)
///
/// in float, ties away from zero. Values beyond all codes, infinities too, give the nearest code.
///
/// @tparam X  std::int8_t or std::uint8_t, the codes of inputs
/// @tparam Y  the same, the codes of outputs
/// @param f   float -> float; a constexpr one makes a constexpr table
/// @return `non_finite` or `out_of_range` for the parameters, `non_finite` with the input code,
///         counted from the least, where f gives a NaN
template <class X, class Y = X, class F>
[[nodiscard]] constexpr result<code_table<X, Y>> make_table(affine_params input,
                                                            affine_params output, F&& f) {
  PARE_RETURN_IF_ERROR(detail::check_code_params<X>(input, "input"));
  PARE_RETURN_IF_ERROR(detail::check_code_params<Y>(output, "output"));
  // Beyond this, sums with a zero point and rounding end outside of the codes.
  constexpr float beyond = 1024.0f;
  const float inverse = 1.0f / output.scale;
  code_table<X, Y> table;
  for (std::int32_t x = detail::least_code<X>; x <= detail::most_code<X>; ++x) {
    const float product = input.scale * static_cast<float>(x - input.zero_point);
    // Behind a barrier, so that no addition inside f is fused with it.
    const float real = detail::is_constant_evaluated() ? product : detail::rounded(product);
    const float scaled = static_cast<float>(f(real)) * inverse;
    const std::uint32_t magnitude = detail::bit_cast<std::uint32_t>(scaled) & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
      return {status_code::non_finite, "the function gives a NaN", "f", position_kind::element,
              static_cast<index_t>(x) - detail::least_code<X>};
    }
    const float bounded = detail::clamp(scaled, -beyond, beyond);
    const std::int32_t y = detail::clamp(detail::round_half_away(bounded) + output.zero_point,
                                         detail::least_code<Y>, detail::most_code<Y>);
    table.codes[static_cast<std::uint8_t>(x)] = static_cast<Y>(y);
  }
  return table;
}

/// y = table(x), element by element.
///
/// @param x             any rank, elements along the last axis side by side, other axes any stride
///                      apart
/// @param table         for the codes of x and y
/// @param y             same shape; as x; may be x itself, but must not overlap it otherwise
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, or `unsupported` where elements of the last axis lie apart; y is then
///         untouched
template <class X, class EX, class LX, class TableX, class Y, class EY, class LY,
          class Parallel = serial>
status apply_table(const tensor_view<X, EX, LX>& x, const code_table<TableX, Y>& table,
                   const tensor_view<Y, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, TableX>,
                "pare: the table takes codes of another type");
  PARE_RETURN_IF_ERROR(detail::check_elementwise(x, y));
  detail::apply_table_checked(x, table, y, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_TABLE_HPP
