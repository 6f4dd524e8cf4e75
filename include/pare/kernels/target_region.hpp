// Regions of code compiled for an instruction set above the one the flags allow.
//
// One binary then holds all kernels and picks one at run time, and users need no -m flags. Between
// BEGIN and END stands nothing but our own functions: an #include there would compile other
// people's inline functions for the region's instruction set, and the linker might keep those for
// everybody. Where the flags already allow the instruction set, the region is empty, so that its
// functions inline as any others do.
#ifndef PARE_KERNELS_TARGET_REGION_HPP
#define PARE_KERNELS_TARGET_REGION_HPP

#include <pare/core/config.hpp>

#if PARE_X86_KERNELS
#include <immintrin.h>
#elif PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#include <arm_neon.h>
#endif

#if PARE_X86_KERNELS || PARE_NEON_KERNELS
#define PARE_DETAIL_PRAGMA(x) _Pragma(#x)
#if defined(__clang__)
#define PARE_DETAIL_TARGET_BEGIN(isa) \
  PARE_DETAIL_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define PARE_DETAIL_TARGET_END PARE_DETAIL_PRAGMA(clang attribute pop)
#else
#define PARE_DETAIL_TARGET_BEGIN(isa) \
  PARE_DETAIL_PRAGMA(GCC push_options) PARE_DETAIL_PRAGMA(GCC target(isa))
#define PARE_DETAIL_TARGET_END PARE_DETAIL_PRAGMA(GCC pop_options)
#endif
#endif

#if PARE_X86_KERNELS
#if defined(__clang__)
#define PARE_DETAIL_QUIET_BEGIN
#define PARE_DETAIL_QUIET_END
#else
// GCC 11 to 13 take the deliberately undefined operands inside avx512fintrin.h for mistakes (GCC
// bug 105593).
#define PARE_DETAIL_QUIET_BEGIN                                \
  PARE_DETAIL_PRAGMA(GCC diagnostic push)                      \
  PARE_DETAIL_PRAGMA(GCC diagnostic ignored "-Wuninitialized") \
  PARE_DETAIL_PRAGMA(GCC diagnostic ignored "-Wmaybe-uninitialized")
#define PARE_DETAIL_QUIET_END PARE_DETAIL_PRAGMA(GCC diagnostic pop)
#endif

#if defined(__AVX2__)
#define PARE_TARGET_AVX2_BEGIN
#define PARE_TARGET_AVX2_END
#else
#define PARE_TARGET_AVX2_BEGIN PARE_DETAIL_TARGET_BEGIN("avx2")
#define PARE_TARGET_AVX2_END PARE_DETAIL_TARGET_END
#endif

#if defined(__AVX2__) && defined(__FMA__)
#define PARE_TARGET_AVX2_FMA_BEGIN
#define PARE_TARGET_AVX2_FMA_END
#else
#define PARE_TARGET_AVX2_FMA_BEGIN PARE_DETAIL_TARGET_BEGIN("avx2,fma")
#define PARE_TARGET_AVX2_FMA_END PARE_DETAIL_TARGET_END
#endif

#if defined(__AVX2__) && defined(__AVXVNNI__)
#define PARE_TARGET_AVXVNNI_BEGIN
#define PARE_TARGET_AVXVNNI_END
#else
#define PARE_TARGET_AVXVNNI_BEGIN PARE_DETAIL_TARGET_BEGIN("avx2,avxvnni")
#define PARE_TARGET_AVXVNNI_END PARE_DETAIL_TARGET_END
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define PARE_TARGET_AVX512BW_BEGIN PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512BW_END PARE_DETAIL_QUIET_END
#else
#define PARE_TARGET_AVX512BW_BEGIN \
  PARE_DETAIL_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq") PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512BW_END PARE_DETAIL_QUIET_END PARE_DETAIL_TARGET_END
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512DQ__) && defined(__AVX512VNNI__)
#define PARE_TARGET_AVX512VNNI_BEGIN PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512VNNI_END PARE_DETAIL_QUIET_END
#else
#define PARE_TARGET_AVX512VNNI_BEGIN \
  PARE_DETAIL_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni") PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512VNNI_END PARE_DETAIL_QUIET_END PARE_DETAIL_TARGET_END
#endif

#if defined(__AVX512VNNI__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__) && \
    defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__POPCNT__)
#define PARE_TARGET_AVX512VBMI2_BEGIN PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512VBMI2_END PARE_DETAIL_QUIET_END
#else
#define PARE_TARGET_AVX512VBMI2_BEGIN                                                          \
  PARE_DETAIL_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi2,popcnt") \
  PARE_DETAIL_QUIET_BEGIN
#define PARE_TARGET_AVX512VBMI2_END PARE_DETAIL_QUIET_END PARE_DETAIL_TARGET_END
#endif

#endif  // PARE_X86_KERNELS

// On 64-bit ARM a region must have all that the flags allow, or baseline helpers do not inline into
// it. GCC's assembler takes the instructions from Armv8.2 on: where the flags may mean less, the
// region names that version. Clang 14 declares intrinsics only where the flags allow them, so
// regions have inline assembly instead.
#if PARE_NEON_KERNELS
#if defined(__clang__)
#define PARE_DETAIL_ARM_EXTENSION(name) name
#elif defined(__ARM_FEATURE_DOTPROD) || defined(__ARM_FEATURE_FP16_SCALAR_ARITHMETIC) || \
    defined(__ARM_FEATURE_COMPLEX) || defined(__ARM_FEATURE_SVE)
#define PARE_DETAIL_ARM_EXTENSION(name) "+" name
#elif defined(__ARM_FEATURE_CRYPTO)
#define PARE_DETAIL_ARM_EXTENSION(name) "arch=armv8.2-a+crypto+" name
#else
#define PARE_DETAIL_ARM_EXTENSION(name) "arch=armv8.2-a+" name
#endif

#if defined(__ARM_FEATURE_DOTPROD)
#define PARE_TARGET_DOTPROD_BEGIN
#define PARE_TARGET_DOTPROD_END
#else
#define PARE_TARGET_DOTPROD_BEGIN PARE_DETAIL_TARGET_BEGIN(PARE_DETAIL_ARM_EXTENSION("dotprod"))
#define PARE_TARGET_DOTPROD_END PARE_DETAIL_TARGET_END
#endif

#if defined(__ARM_FEATURE_MATMUL_INT8)
#define PARE_TARGET_I8MM_BEGIN
#define PARE_TARGET_I8MM_END
#else
#define PARE_TARGET_I8MM_BEGIN PARE_DETAIL_TARGET_BEGIN(PARE_DETAIL_ARM_EXTENSION("i8mm"))
#define PARE_TARGET_I8MM_END PARE_DETAIL_TARGET_END
#endif
#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_TARGET_REGION_HPP
