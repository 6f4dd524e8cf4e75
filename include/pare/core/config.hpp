// What the compiler and the user's macros say: architecture, attributes, and the ABI tag.
//
// Every macro that a user may set is listed in the table of README.md; none of them changes the
// layout of a type.
#ifndef PARE_CORE_CONFIG_HPP
#define PARE_CORE_CONFIG_HPP

#include <cstddef>
#include <cstdint>

#include <pare/core/version.hpp>

#if !defined(__cplusplus) || \
    (__cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L))
#error "pare needs C++17 or newer: compile with -std=c++17"
#endif

// --- compiler ---

#if defined(__GNUC__) || defined(__clang__)
#define PARE_ALWAYS_INLINE inline __attribute__((always_inline))
#define PARE_NOINLINE __attribute__((noinline))
#define PARE_RESTRICT __restrict__
#define PARE_LIKELY(x) (__builtin_expect(!!(x), 1))
#define PARE_UNLIKELY(x) (__builtin_expect(!!(x), 0))
#else
#define PARE_ALWAYS_INLINE inline
#define PARE_NOINLINE
#define PARE_RESTRICT
#define PARE_LIKELY(x) (x)
#define PARE_UNLIKELY(x) (x)
#endif

/// Before a loop of a few constant turns: unrolled at -O2 too, so that arrays it indexes become
/// registers.
#if defined(__clang__)
#define PARE_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define PARE_UNROLL _Pragma("GCC unroll 16")
#else
#define PARE_UNROLL
#endif

/// 1 where exceptions are on. They are thrown in one place only, `result::value()`.
#ifndef PARE_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define PARE_EXCEPTIONS 1
#else
#define PARE_EXCEPTIONS 0
#endif
#endif

// --- assertions: see core/assert.hpp ---

/// 0: never checked. 1 (default): checked unless NDEBUG is defined. 2: always checked.
#ifndef PARE_ASSERT_LEVEL
#define PARE_ASSERT_LEVEL 1
#endif

#if PARE_ASSERT_LEVEL >= 2 || (PARE_ASSERT_LEVEL == 1 && !defined(NDEBUG))
#define PARE_ASSERTS 1
#else
#define PARE_ASSERTS 0
#endif

// --- errors: see core/status.hpp ---

/// 0: errors have a code and a position, but neither sentence nor subject, which firmware may not
/// have the flash for. 1 (default): all of it.
#ifndef PARE_ERROR_TEXTS
#define PARE_ERROR_TEXTS 1
#endif

// --- architecture ---

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(PARE_NO_SIMD)
#define PARE_X86_KERNELS 1
#else
#define PARE_X86_KERNELS 0
#endif

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) && \
    (defined(__GNUC__) || defined(__clang__)) && !defined(PARE_NO_SIMD)
#define PARE_NEON_KERNELS 1
#else
#define PARE_NEON_KERNELS 0
#endif

// 32-bit ARM with NEON, where the flags say so. Its floats flush denormals, so that NEON computes
// integers only.
#if defined(__arm__) && defined(__ARM_NEON) && !defined(__ARMEB__) && \
    (defined(__GNUC__) || defined(__clang__)) && !defined(PARE_NO_SIMD)
#define PARE_NEON32_KERNELS 1
#else
#define PARE_NEON32_KERNELS 0
#endif

// Cortex-M: Helium (M55, M85), or the DSP instructions (M4, M7, M33); chosen by the compiler's
// flags alone.
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && defined(__ARM_FEATURE_DSP) && \
    !defined(__ARM_BIG_ENDIAN) && (defined(__GNUC__) || defined(__clang__)) &&                \
    !defined(PARE_NO_SIMD)
#if defined(__ARM_FEATURE_MVE)
#define PARE_MVE_KERNELS 1
#define PARE_DSP_KERNELS 0
#else
#define PARE_MVE_KERNELS 0
#define PARE_DSP_KERNELS 1
#endif
#else
#define PARE_MVE_KERNELS 0
#define PARE_DSP_KERNELS 0
#endif

/// What chooses kernels and checks shapes. On Cortex-M it is inlined where it is called, so that what
/// a layer that is a constant does not need (other requantization rules, checks that hold) is not
/// linked.
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define PARE_CHOICE_INLINE PARE_ALWAYS_INLINE
#else
#define PARE_CHOICE_INLINE inline
#endif

// --- the ABI tag ---
//
// Functions with loops live in `inline namespace PARE_ABI`. Its name carries the version, the
// instruction set that the flags allow and the check settings, so that the linker never merges two
// bodies that were compiled differently. Types that cross translation units (views, formats,
// status) stay outside it, have the same layout under all flags, and their members are always
// inlined.

#if defined(PARE_NO_SIMD)
#define PARE_DETAIL_BASELINE nosimd
#elif defined(__AVX512F__) && defined(__AVX512VNNI__)
#define PARE_DETAIL_BASELINE avx512vnni
#elif defined(__AVX512F__)
#define PARE_DETAIL_BASELINE avx512
#elif defined(__AVX2__) && defined(__AVXVNNI__)
#define PARE_DETAIL_BASELINE avxvnni
#elif defined(__AVX2__) && defined(__FMA__)
#define PARE_DETAIL_BASELINE avx2fma
#elif defined(__AVX2__)
#define PARE_DETAIL_BASELINE avx2
#elif defined(__AVX__)
#define PARE_DETAIL_BASELINE avx
#elif defined(__SSE4_1__)
#define PARE_DETAIL_BASELINE sse4
#elif defined(__ARM_FEATURE_MATMUL_INT8)
#define PARE_DETAIL_BASELINE i8mm
#elif defined(__ARM_FEATURE_DOTPROD)
#define PARE_DETAIL_BASELINE dotprod
#elif PARE_NEON32_KERNELS
#define PARE_DETAIL_BASELINE neon
#elif PARE_MVE_KERNELS
#define PARE_DETAIL_BASELINE mve
#elif PARE_DSP_KERNELS
#define PARE_DETAIL_BASELINE dsp
#else
#define PARE_DETAIL_BASELINE base
#endif

#define PARE_DETAIL_JOIN2(a, b, c, d, e, f, g) a##b##_##c##_##d##_a##e##x##f##t##g
#define PARE_DETAIL_JOIN(a, b, c, d, e, f, g) PARE_DETAIL_JOIN2(a, b, c, d, e, f, g)

/// For example `v0_1_avx2_a1x1t1`: version 0.1, compiled for AVX2, assertions, exceptions and texts of
/// errors on.
#define PARE_ABI                                                                                  \
  PARE_DETAIL_JOIN(v, PARE_VERSION_MAJOR, PARE_VERSION_MINOR, PARE_DETAIL_BASELINE, PARE_ASSERTS, \
                   PARE_EXCEPTIONS, PARE_ERROR_TEXTS)

// --- where kernels are compiled ---
//
// By default in each translation unit that calls one. A program that defines PARE_SEPARATE_KERNELS
// in all of its translation units compiles them once, in the file that defines PARE_COMPILE_KERNELS
// too and includes pare/inference.hpp; elsewhere they are only declared. Tables of kernels are the
// seam: each operator has a function that gives them for an instruction set.

#if defined(PARE_SEPARATE_KERNELS)
#define PARE_DETAIL_SEPARATE(a, b) v##a##_##b##_separate
#define PARE_DETAIL_SEPARATE_ABI(a, b) PARE_DETAIL_SEPARATE(a, b)
#define PARE_KERNEL_ABI PARE_DETAIL_SEPARATE_ABI(PARE_VERSION_MAJOR, PARE_VERSION_MINOR)
#define PARE_KERNEL_TABLE
#else
#define PARE_KERNEL_ABI PARE_ABI
#define PARE_KERNEL_TABLE PARE_CHOICE_INLINE
#endif

/// 1 where this translation unit compiles the kernels that it calls.
#if defined(PARE_SEPARATE_KERNELS) && !defined(PARE_COMPILE_KERNELS)
#define PARE_KERNELS_HERE 0
#else
#define PARE_KERNELS_HERE 1
#endif

// --- words used everywhere ---

namespace pare {

/// Sizes, indices and strides. Signed, so that differences are safe and loops may count down.
using index_t = std::ptrdiff_t;

namespace detail {

/// True while the compiler evaluates a constant expression; false where the compiler cannot tell.
constexpr PARE_ALWAYS_INLINE bool is_constant_evaluated() noexcept {
#if defined(__has_builtin)
#if __has_builtin(__builtin_is_constant_evaluated)
  return __builtin_is_constant_evaluated();
#else
  return false;
#endif
#elif defined(__GNUC__) && __GNUC__ >= 9
  return __builtin_is_constant_evaluated();
#else
  return false;
#endif
}

/// Whether the compiler knows all of these: checks of what is constant then cost nothing. Only asked
/// where code is small, and before the check, of which nothing is left then.
template <class... T>
constexpr PARE_ALWAYS_INLINE bool are_known(T... x) noexcept {
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && \
    (defined(__GNUC__) || defined(__clang__))
  return (__builtin_constant_p(x) && ...);
#else
  (static_cast<void>(x), ...);
  return false;
#endif
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_CORE_CONFIG_HPP
