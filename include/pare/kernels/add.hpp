// y = act(a + b) in 8-bit codes, each with a scale and a zero point of its own: the joint of a
// residual connection.
//
// TensorFlow Lite's ADD (kernels/add.cc, reference_ops::Add): inputs are shifted left by 20 bits,
// scaled to twice the larger of their scales, added, and scaled to the output.
//
//     constexpr auto p = pare::make_add_params<std::int8_t>({sa, za}, {sb, zb}, {sy, zy}).value();
//     pare::add(a, b, p, y);
#ifndef PARE_KERNELS_ADD_HPP
#define PARE_KERNELS_ADD_HPP

#include <pare/format/code_limits.hpp>
#include <pare/kernels/element_runs.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/scalar/add.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/add_mve.hpp>
#include <pare/kernels/neon/add_neon.hpp>
#include <pare/kernels/x86/add_avx2.hpp>
#include <pare/kernels/x86/add_avx512.hpp>
#endif

namespace pare {

/// How an addition rounds and what follows it.
struct add_options {
  activation act = activation::none;
  /// `double_rounding`, TensorFlow Lite's default, or `single_rounding`
  requantization rule = requantization::double_rounding;
};

/// What `add` needs, from `make_add_params`.
///
/// @tparam Code  std::int8_t or std::uint8_t
template <class Code>
struct add_params {
  std::int32_t zero_point_a = 0, zero_point_b = 0, zero_point_y = 0;
  std::int32_t b_is_larger = 0;           ///< 1 where b has the larger scale
  fixed_multiplier smaller{1 << 30, 0};   ///< smaller scale / (2 * larger scale)
  fixed_multiplier output{1 << 30, -18};  ///< 2 * larger scale / (2^20 * scale of y)
  code_limits limits{};
  requantization rule = requantization::double_rounding;
};

/// From the parameters of both operands and of the sum.
///
/// @tparam Code  std::int8_t or std::uint8_t, of all three
/// @return `non_finite` or `out_of_range` for scales and zero points; `out_of_range` too where the
///         larger scale is 2^19 times that of y or more, which TensorFlow Lite refuses;
///         `invalid_argument` for the activation, or a rule that is neither of the fixed-point ones
template <class Code>
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<add_params<Code>> make_add_params(
    affine_params a, affine_params b, affine_params y, add_options options = {}) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(a, "a"));
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(b, "b"));
  if (options.rule != requantization::double_rounding &&
      options.rule != requantization::single_rounding) {
    return {status_code::invalid_argument, "additions follow one of the fixed-point rules", "rule"};
  }
  const auto limits = activation_limits<Code>(options.act, y);
  if (!limits) {
    return limits.error();
  }
  const double twice = 2.0 * static_cast<double>(detail::max(a.scale, b.scale));
  add_params<Code> p;
  p.zero_point_a = a.zero_point;
  p.zero_point_b = b.zero_point;
  p.zero_point_y = y.zero_point;
  p.b_is_larger = b.scale > a.scale ? 1 : 0;
  p.smaller = make_fixed_multiplier(static_cast<double>(detail::min(a.scale, b.scale)) / twice);
  p.output = make_fixed_multiplier(twice / (1048576.0 * static_cast<double>(y.scale)));
  if (p.output.shift > 0) {
    return {status_code::out_of_range, "the scale of y is less than 2^-19 times the larger one",
            "y"};
  }
  p.limits = *limits;
  p.rule = options.rule;
  return p;
}

namespace detail {

/// The kernels of one instruction set.
struct add_kernels {
  void (*add)(const kernels::add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
              std::uint8_t* y) noexcept;
};

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE add_kernels add_kernels_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE add_kernels add_kernels_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return {kernels::avx512vnni::add};
    case isa::avxvnni:
    case isa::avx512bw:
    case isa::avx2: return {kernels::avx2::add};
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm:
    case isa::dotprod:
    case isa::neon: return {kernels::neon::add};
#endif
#if PARE_MVE_KERNELS
    default: return {kernels::mve::add_codes};
#else
    default: return {kernels::scalar::add};
#endif
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// The kernel's first operand is the one with the larger scale.
template <class Code>
kernels::add_args args_of(const add_params<Code>& p) noexcept {
  constexpr std::int32_t moved = std::is_signed_v<Code> ? 0 : 128;
  kernels::add_args args;
  args.zero_a = (p.b_is_larger != 0 ? p.zero_point_b : p.zero_point_a) - moved;
  args.zero_b = (p.b_is_larger != 0 ? p.zero_point_a : p.zero_point_b) - moved;
  args.zero = p.zero_point_y - moved;
  args.steps_b = kernels::steps_of(p.smaller, p.rule);
  args.steps = kernels::steps_of(p.output, p.rule);
  args.low = p.limits.low - moved;
  args.high = p.limits.high - moved;
  args.flip = flip_of<Code>;
  return args;
}

/// Adds along runs of a, b and y; runs of b repeat where its strides are 0.
template <class Code, std::size_t Rank, class Parallel>
void add_runs(const Code* a, const Code* b, const add_params<Code>& p, Code* y,
              const element_runs<3, Rank>& runs, const Parallel& parallel_for) noexcept {
  const add_kernels kernel = add_kernels_of(active_isa());
  const kernels::add_args args = args_of(p);
  const bool swapped = p.b_is_larger != 0;
  for_each_run(runs, parallel_for, [&](const index_t(&at)[3], index_t n) {
    const auto* left = reinterpret_cast<const std::uint8_t*>(a) + at[0];
    const auto* right = reinterpret_cast<const std::uint8_t*>(b) + at[1];
    auto* out = reinterpret_cast<std::uint8_t*>(y) + at[2];
    kernel.add(args, swapped ? right : left, swapped ? left : right, n, out);
  });
}

/// b is one number: pieces of the tensor meet a row of copies.
template <class Code, std::size_t Rank, class Parallel>
void add_number(const Code* a, Code b, const add_params<Code>& p, Code* y,
                const element_runs<2, Rank>& runs, const Parallel& parallel_for) noexcept {
  constexpr index_t copies = 256;
  const add_kernels kernel = add_kernels_of(active_isa());
  const kernels::add_args args = args_of(p);
  const bool swapped = p.b_is_larger != 0;
  std::uint8_t row[copies];
  for (std::uint8_t& copy : row) copy = static_cast<std::uint8_t>(b);
  for_each_run(runs, parallel_for, [&](const index_t(&at)[2], index_t n) {
    const auto* left = reinterpret_cast<const std::uint8_t*>(a) + at[0];
    auto* out = reinterpret_cast<std::uint8_t*>(y) + at[1];
    for (index_t i = 0; i < n; i += copies) {
      kernel.add(args, swapped ? row : left + i, swapped ? left + i : row, min(copies, n - i),
                 out + i);
    }
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = act(a + b), in codes.
///
/// @param a             any rank; elements along the last axis side by side, other axes any stride
///                      apart
/// @param b             of the shape of a, or a vector with one code for each index of a's last
///                      axis, or a vector of one code for all
/// @param p             from `make_add_params`
/// @param y             of the shape of a; as a; may be a or b itself, but must not overlap them
///                      otherwise
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `unsupported` where elements of the last axis lie apart, or
///         `out_of_range` where no code lies within `p.limits`; y is then untouched
///
/// Bit for bit TensorFlow Lite's, on every instruction set.
template <class A, class EA, class LA, class B, class EB, class LB, class Code, class Y, class EY,
          class LY, class Parallel = serial>
status add(const tensor_view<A, EA, LA>& a, const tensor_view<B, EB, LB>& b,
           const add_params<Code>& p, const tensor_view<Y, EY, LY>& y,
           const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<A>, Code> &&
                    std::is_same_v<std::remove_const_t<B>, Code> && std::is_same_v<Y, Code>,
                "pare: a, b and y have codes of the type of the parameters");
  static_assert(EB::rank() == EA::rank() || EB::rank() == 1, "pare: b is like a, or a vector");
  constexpr std::size_t rank = EA::rank();
  if (!detail::same_shape(a, y)) {
    return {status_code::shape_mismatch, "a and y must have the same shape", "y"};
  }
  PARE_RETURN_IF_ERROR(detail::check_unit_run(a, "a"));
  PARE_RETURN_IF_ERROR(detail::check_unit_run(b, "b"));
  PARE_RETURN_IF_ERROR(detail::check_unit_run(y, "y"));
  const auto limits = detail::limits_within<Code>(p.limits);
  if (!limits) {
    return limits.error();
  }
  add_params<Code> q = p;
  q.limits = *limits;
  if (detail::same_shape(a, b)) {
    detail::add_runs(static_cast<const Code*>(a.data_handle()),
                     static_cast<const Code*>(b.data_handle()), q, y.data_handle(),
                     detail::runs_of(a, b, y), parallel_for);
    return {};
  }
  if constexpr (EB::rank() == 1 && rank > 0) {
    if (b.extent(0) == 1) {
      if (y.empty()) return {};
      detail::add_number(static_cast<const Code*>(a.data_handle()), *b.data_handle(), q,
                         y.data_handle(), detail::runs_of(a, y), parallel_for);
      return {};
    }
    if (b.extent(0) == a.extent(rank - 1)) {
      index_t shape[rank + 1] = {}, strides[3][rank + 1] = {};
      for (std::size_t r = 0; r < rank; ++r) {
        shape[r] = a.extent(r);
        strides[0][r] = a.stride(r);
        strides[2][r] = y.stride(r);
      }
      strides[1][rank - 1] = 1;
      detail::add_runs(static_cast<const Code*>(a.data_handle()),
                       static_cast<const Code*>(b.data_handle()), q, y.data_handle(),
                       detail::find_runs<3, rank>(shape, strides), parallel_for);
      return {};
    }
  }
  return {status_code::shape_mismatch,
          "b must have the shape of a, or one code for each index of its last axis, or one", "b"};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_ADD_HPP
