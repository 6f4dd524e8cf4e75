// Which kernels this machine can run, and which of them are in use.
//
// x86: Intel SDM volume 1, chapter 13.3 and 14.3: a CPUID bit counts only where the operating system
// saves the registers (OSXSAVE and XCR0). 64-bit ARM: what the Linux kernel says in AT_HWCAP and
// AT_HWCAP2 (Documentation/arch/arm64/elf_hwcaps.rst), which holds for all cores; elsewhere, and
// on 32-bit ARM, what the compiler's flags allow.
#ifndef PARE_KERNELS_ISA_HPP
#define PARE_KERNELS_ISA_HPP

#include <pare/core/status.hpp>

#if PARE_X86_KERNELS
#include <cpuid.h>
#elif PARE_NEON_KERNELS && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace pare {

/// Instruction sets that kernels are written for, the better ones later. All but `avxvnni`, which
/// knows nothing of AVX-512, include those before them on their architecture. A machine supports
/// those of one architecture only.
enum class isa : std::uint8_t {
  scalar = 0,      ///< plain C++: the specification, runs everywhere
  sse2 = 1,        ///< every 64-bit x86: the s8 product; all else as scalar
  avx2 = 2,        ///< AVX2
  avx512bw = 3,    ///< AVX-512 F, BW, VL and DQ: the s8 product; all else as AVX2
  avxvnni = 4,     ///< AVX2 and AVX-VNNI
  avx512vnni = 5,  ///< AVX-512 F, BW, VL, DQ and VNNI
  neon = 6,        ///< 64-bit ARM; 32-bit ARM where the flags allow NEON: products of integers
  dotprod = 7,     ///< 64-bit ARM with SDOT (FEAT_DotProd)
  i8mm = 8,        ///< 64-bit ARM with SDOT and SMMLA (FEAT_I8MM)
};

/// "scalar", "sse2", "avx2", "avx512bw", "avxvnni", "avx512vnni", "neon", "dotprod", "i8mm"
constexpr PARE_ALWAYS_INLINE const char* name(isa i) noexcept {
  switch (i) {
    case isa::scalar: return "scalar";
    case isa::sse2: return "sse2";
    case isa::avx2: return "avx2";
    case isa::avx512bw: return "avx512bw";
    case isa::avxvnni: return "avxvnni";
    case isa::avx512vnni: return "avx512vnni";
    case isa::neon: return "neon";
    case isa::dotprod: return "dotprod";
    case isa::i8mm: return "i8mm";
  }
  return "unknown";
}

/// All of them, for tests and benchmarks that go through them.
inline constexpr isa all_isas[] = {isa::scalar,   isa::sse2,    isa::avx2,
                                   isa::avx512bw, isa::avxvnni, isa::avx512vnni,
                                   isa::neon,     isa::dotprod, isa::i8mm};

namespace detail {

/// Whether machines of `i` have AVX2.
constexpr PARE_ALWAYS_INLINE bool has_avx2(isa i) noexcept {
  return i >= isa::avx2 && i <= isa::avx512vnni;
}

/// Among the bits of instruction sets: AVX2 with fused multiply-add, which it does not imply.
inline constexpr unsigned has_fma_bit = 1u << 15;
/// And AVX-512 VNNI with VBMI2, which expands bytes by a mask.
inline constexpr unsigned has_vbmi2_bit = 1u << 14;

/// What the process has found and what it uses: bits of `detect_isas` in the low half, the active
/// isa above; 0 before the first look. Constant-initialised; two threads that look at once write
/// the same.
inline unsigned isa_state = 0;

// By the compiler's builtins: libstdc++'s <atomic> includes <string> as C++20. Loads and
// stores of a word need no library on any target.
PARE_ALWAYS_INLINE unsigned load_isa_state() noexcept {
#if defined(__GNUC__) || defined(__clang__)
  return __atomic_load_n(&isa_state, __ATOMIC_RELAXED);
#else
  return *static_cast<volatile unsigned*>(&isa_state);
#endif
}
PARE_ALWAYS_INLINE void store_isa_state(unsigned state) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  __atomic_store_n(&isa_state, state, __ATOMIC_RELAXED);
#else
  *static_cast<volatile unsigned*>(&isa_state) = state;
#endif
}

inline namespace PARE_ABI {

#if PARE_X86_KERNELS
/// XCR0: which registers the operating system saves. Read by its opcode, since the intrinsic wants
/// -mxsave.
inline std::uint64_t enabled_state() noexcept {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

/// A bit for each isa, `has_fma_bit` and `has_vbmi2_bit`.
inline unsigned detect_isas() noexcept {
  constexpr unsigned osxsave = 1u << 27, avx = 1u << 28, fma = 1u << 12;          // leaf 1, ecx
  constexpr unsigned avx2 = 1u << 5;                                              // leaf 7, ebx
  constexpr unsigned avx512 = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F, DQ, BW, VL
  constexpr unsigned avx512_vnni = 1u << 11, avx512_vbmi2 = 1u << 6;              // leaf 7, ecx
  constexpr unsigned avx_vnni = 1u << 4;                                          // leaf 7.1, eax
  constexpr std::uint64_t ymm_state = 0x6, zmm_state = 0xe6;

  unsigned found =
      (1u << static_cast<unsigned>(isa::scalar)) | (1u << static_cast<unsigned>(isa::sse2));
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & osxsave) == 0 || (c & avx) == 0) return found;
  const unsigned fma_found = (c & fma) != 0 ? has_fma_bit : 0u;
  const std::uint64_t state = enabled_state();
  if ((state & ymm_state) != ymm_state || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 ||
      (b & avx2) == 0)
    return found;
  found |= (1u << static_cast<unsigned>(isa::avx2)) | fma_found;
  if ((state & zmm_state) == zmm_state && (b & avx512) == avx512) {
    found |= 1u << static_cast<unsigned>(isa::avx512bw);
    if ((c & avx512_vnni) != 0) {
      found |= 1u << static_cast<unsigned>(isa::avx512vnni);
      if ((c & avx512_vbmi2) != 0) found |= has_vbmi2_bit;
    }
  }
  if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & avx_vnni) != 0) {
    found |= 1u << static_cast<unsigned>(isa::avxvnni);
  }
  return found;
}
#elif PARE_NEON_KERNELS
/// A bit for each isa.
inline unsigned detect_isas() noexcept {
  bool has_dotprod = false, has_i8mm = false;
#if defined(__ARM_FEATURE_DOTPROD)
  has_dotprod = true;
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
  has_i8mm = true;
#endif
#if defined(__linux__)
  constexpr unsigned long asimddp = 1ul << 20;  // AT_HWCAP
  constexpr unsigned long i8mm = 1ul << 13;     // AT_HWCAP2
  has_dotprod = has_dotprod || (getauxval(AT_HWCAP) & asimddp) != 0;
  has_i8mm = has_i8mm || (getauxval(AT_HWCAP2) & i8mm) != 0;
#endif
  unsigned found = 1u << static_cast<unsigned>(isa::scalar);
  found |= 1u << static_cast<unsigned>(isa::neon);
  if (has_dotprod) found |= 1u << static_cast<unsigned>(isa::dotprod);
  if (has_dotprod && has_i8mm) found |= 1u << static_cast<unsigned>(isa::i8mm);
  return found;
}
#elif PARE_NEON32_KERNELS
/// A bit for each isa: the flags allow NEON.
inline unsigned detect_isas() noexcept {
  return (1u << static_cast<unsigned>(isa::scalar)) | (1u << static_cast<unsigned>(isa::neon));
}
#endif

#if PARE_X86_KERNELS || PARE_NEON_KERNELS || PARE_NEON32_KERNELS
inline unsigned look_at_isas() noexcept {
  const unsigned found = detect_isas();
  unsigned best = 0;
  for (const isa i : all_isas) {
    if (((found >> static_cast<unsigned>(i)) & 1u) != 0) best = static_cast<unsigned>(i);
  }
  const unsigned state = found | (best << 16);
  store_isa_state(state);
  return state;
}
#endif

}  // namespace PARE_ABI

PARE_ALWAYS_INLINE unsigned isas() noexcept {
#if PARE_X86_KERNELS || PARE_NEON_KERNELS || PARE_NEON32_KERNELS
  const unsigned state = load_isa_state();
  return PARE_LIKELY(state != 0) ? state : look_at_isas();
#else
  return 1u << static_cast<unsigned>(isa::scalar) | static_cast<unsigned>(isa::scalar) << 16;
#endif
}

PARE_ALWAYS_INLINE bool has_fma() noexcept { return (isas() & has_fma_bit) != 0; }
PARE_ALWAYS_INLINE bool has_vbmi2() noexcept { return (isas() & has_vbmi2_bit) != 0; }

}  // namespace detail

/// Whether this machine, its operating system and this build can run kernels of `i`.
PARE_ALWAYS_INLINE bool is_supported(isa i) noexcept {
  return static_cast<unsigned>(i) < 9 && ((detail::isas() >> static_cast<unsigned>(i)) & 1u) != 0;
}

/// The instruction set that calls use from now on: the best one supported, unless `set_active_isa`
/// said otherwise.
PARE_ALWAYS_INLINE isa active_isa() noexcept { return static_cast<isa>(detail::isas() >> 16); }

inline namespace PARE_ABI {

/// Lets the whole process use `i`, for tests and comparisons. Layers packed before keep their
/// layout and still run.
///
/// @return `unsupported` where the machine cannot run it; nothing changes then
inline status set_active_isa(isa i) noexcept {
  if (!is_supported(i))
    return {status_code::unsupported, "this machine cannot run that instruction set", "isa"};
  const unsigned found = detail::isas() & 0xffffu;
  detail::store_isa_state(found | (static_cast<unsigned>(i) << 16));
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_ISA_HPP
