// xsimd, whose vectors the float loops of the host tier run on, reduced to what all of its versions
// from 8.1 to 14 spell alike.
//
// Names that changed between versions (`hadd` became `reduce_add`, `bitwise_cast` takes an element
// type where it took a vector) are not used; what they did stands below.
//
// PARE_XSIMD is 1 on x86-64 and AArch64 where xsimd is found and PARE_NO_SIMD is not defined. It is
// 0 elsewhere: every loop then runs as plain C++ and gives the same bits. (32-bit NEON could not:
// it flushes denormal numbers to zero.) Of vectors of float, sums, products and comparisons are
// exact; quotients are not on AArch64, where xsimd 8.1 multiplies by an approximate inverse.
#ifndef PARE_CORE_XSIMD_HPP
#define PARE_CORE_XSIMD_HPP

#include <pare/core/bit_cast.hpp>

#if !defined(PARE_NO_SIMD) && defined(__has_include) && \
    (defined(__x86_64__) || defined(_M_X64) || defined(__aarch64__))
#if __has_include(<xsimd/xsimd.hpp>)
// GCC 12 takes the undefined operands inside its own AVX-512 intrinsics for a mistake of whoever
// they are inlined into: GCC bug 105593.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#ifndef XSIMD_NO_SUPPORTED_ARCHITECTURE
#define PARE_XSIMD 1
#endif
#endif
#endif
#ifndef PARE_XSIMD
#define PARE_XSIMD 0
#endif

#if PARE_XSIMD
namespace pare::detail {
inline namespace PARE_ABI {

/// The bits of each lane. Integers compare to their word where -ffast-math assumes that no float is
/// infinite.
template <class Arch>
PARE_ALWAYS_INLINE xsimd::batch<std::int32_t, Arch> bits_of(
    const xsimd::batch<float, Arch>& v) noexcept {
  return detail::bit_cast<xsimd::batch<std::int32_t, Arch>>(v);  // xsimd has one too
}

/// f(f(f(lane 0, lane 1), lane 2), ...).
template <class T, class Arch, class F>
PARE_ALWAYS_INLINE T fold_lanes(const xsimd::batch<T, Arch>& v, F f) noexcept {
  T lanes[xsimd::batch<T, Arch>::size];
  v.store_unaligned(lanes);
  T folded = lanes[0];
  for (std::size_t i = 1; i < xsimd::batch<T, Arch>::size; ++i) folded = f(folded, lanes[i]);
  return folded;
}

/// The smallest lane; the lanes are numbers.
template <class T, class Arch>
PARE_ALWAYS_INLINE T smallest_lane(const xsimd::batch<T, Arch>& v) noexcept {
  return fold_lanes(v, [](T a, T b) { return b < a ? b : a; });
}

/// The largest lane; the lanes are numbers.
template <class T, class Arch>
PARE_ALWAYS_INLINE T largest_lane(const xsimd::batch<T, Arch>& v) noexcept {
  return fold_lanes(v, [](T a, T b) { return a < b ? b : a; });
}

}  // namespace PARE_ABI
}  // namespace pare::detail
#endif

#endif  // PARE_CORE_XSIMD_HPP
