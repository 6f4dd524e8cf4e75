// half and bfloat16 against NumPy, PyTorch (vectors: tools/make_core_vectors.py) and, where the
// CPU has it, F16C.
#include <pare/core/small_float.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define TEST_F16C 1
#else
#define TEST_F16C 0
#endif

#include <doctest/doctest.h>

using pare::bfloat16;
using pare::half;

namespace {

std::uint32_t bits_of(float x) { return pare::detail::bit_cast<std::uint32_t>(x); }
float float_of(std::uint32_t bits) { return pare::detail::bit_cast<float>(bits); }

const pare_test::archive& vectors() {
  static const pare_test::archive all = pare_test::load("core/small_float.npz");
  return all;
}

/// As checksum() in the script: sum of (2 i + 1) * value[i], modulo 2^64.
class checksum {
 public:
  void add(std::uint64_t value) {
    sum_ += (2 * count_ + 1) * value;
    ++count_;
  }
  bool equals(const char* name) const { return sum_ == vectors().scalar<std::uint64_t>(name); }

 private:
  std::uint64_t sum_ = 0, count_ = 0;
};

bool is_nan_bits(std::uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u; }

/// As sweep() in the script: patterns spread over all floats but NaN.
std::uint32_t sweep(std::uint32_t i) {
  const std::uint32_t bits = i * 2654435761u;
  return is_nan_bits(bits) ? 0 : bits;
}

/// As half_range() in the script: patterns where half has its values.
std::uint32_t half_range(std::uint32_t i) {
  const std::uint32_t low = 101u << 23, high = 144u << 23;
  const std::uint64_t step = std::uint64_t{i} * 2654435761u % (high - low);
  return (low + static_cast<std::uint32_t>(step)) | ((i & 1u) << 31);
}

#if TEST_F16C
__attribute__((target("f16c"))) void narrow_by_hardware(const float* from, std::uint16_t* to) {
  *to = static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(*from), 0)));
}
__attribute__((target("f16c"))) void widen_by_hardware(const std::uint16_t* from, float* to) {
  *to = _cvtsh_ss(*from);
}
bool has_f16c() {
  unsigned a = 1, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (c & (1u << 29)) != 0 && __builtin_cpu_supports("avx");
}
#endif

}  // namespace

TEST_CASE("every half widens as in NumPy") {
  checksum sum;
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const float x = static_cast<float>(half::from_bits(static_cast<std::uint16_t>(h)));
    const bool nan = (h & 0x7fffu) > 0x7c00u;
    if (nan != is_nan_bits(bits_of(x))) FAIL_CHECK("NaN comes from NaN alone");
    sum.add(nan ? 0 : bits_of(x));
  }
  CHECK(sum.equals("half_to_float_checksum"));
}

TEST_CASE("every half comes back from float") {
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const std::uint16_t bits = static_cast<std::uint16_t>(h);
    const bool nan = (h & 0x7fffu) > 0x7c00u;
    const half back(static_cast<float>(half::from_bits(bits)));
    const std::uint16_t expected = nan ? static_cast<std::uint16_t>(bits | 0x200u) : bits;
    if (back.bits != expected) FAIL_CHECK("pattern " << h << " came back as " << back.bits);
  }
}

TEST_CASE("floats narrow to half as in NumPy: middles, their neighbours, and all over") {
  checksum middles;
  for (int beside : {-1, 0, 1}) {
    for (std::uint32_t h = 0; h < 0x7c00; ++h) {
      const double x = static_cast<float>(half::from_bits(static_cast<std::uint16_t>(h)));
      const double upper =
          h == 0x7bff ? 65536.0
                      : static_cast<float>(half::from_bits(static_cast<std::uint16_t>(h + 1)));
      const std::uint32_t middle = bits_of(static_cast<float>((x + upper) / 2));
      middles.add(half(float_of(middle + static_cast<std::uint32_t>(beside))).bits);
    }
  }
  CHECK(middles.equals("float_to_half_middle_checksum"));
  checksum all, range;
  for (std::uint32_t i = 0; i < (1u << 20); ++i) {
    all.add(half(float_of(sweep(i))).bits);
    range.add(half(float_of(half_range(i))).bits);
  }
  CHECK(all.equals("float_to_half_sweep_checksum"));
  CHECK(range.equals("float_to_half_range_checksum"));
}

TEST_CASE("floats narrow to bfloat16 as in PyTorch: ties, and all over") {
  checksum ties, all;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const std::uint32_t tie = (i << 16) | 0x8000u;
    ties.add(bfloat16(float_of(is_nan_bits(tie) ? 0 : tie)).bits);
  }
  for (std::uint32_t i = 0; i < (1u << 20); ++i) all.add(bfloat16(float_of(sweep(i))).bits);
  CHECK(ties.equals("float_to_bfloat16_ties_checksum"));
  CHECK(all.equals("float_to_bfloat16_sweep_checksum"));
}

TEST_CASE("zeros, the largest, the smallest and infinity narrow as in NumPy and PyTorch") {
  const auto edges = vectors().get<std::uint32_t, 1>("edges");
  const auto halves = vectors().get<std::uint16_t, 1>("edges_half");
  const auto bfloats = vectors().get<std::uint16_t, 1>("edges_bfloat16");
  for (pare::index_t i = 0; i < edges.size(); ++i) {
    CAPTURE(float_of(edges(i)));
    CHECK(half(float_of(edges(i))).bits == halves(i));
    CHECK(bfloat16(float_of(edges(i))).bits == bfloats(i));
  }
}

TEST_CASE("NaN stays NaN, quiet, with its sign") {
  for (std::uint32_t bits : {0x7fc00000u, 0x7f800001u, 0xffc12345u, 0xff800001u, 0x7fffffffu}) {
    CAPTURE(bits);
    const half h(float_of(bits));
    CHECK((h.bits & 0x7e00u) == 0x7e00u);
    CHECK((h.bits >> 15) == (bits >> 31));
    const bfloat16 b(float_of(bits));
    CHECK((b.bits & 0x7fc0u) == 0x7fc0u);
    CHECK((b.bits >> 15) == (bits >> 31));
  }
}

TEST_CASE("bfloat16 widens to the float whose upper half it is") {
  for (std::uint32_t b = 0; b < 65536; ++b) {
    const float x = static_cast<float>(bfloat16::from_bits(static_cast<std::uint16_t>(b)));
    if (bits_of(x) != b << 16) FAIL_CHECK("pattern " << b << " became " << bits_of(x));
    if (!is_nan_bits(b << 16) && bfloat16(x).bits != b) FAIL_CHECK("pattern " << b);
  }
}

#if TEST_F16C
TEST_CASE("half is what the hardware's conversions are, NaN included") {
  if (!has_f16c()) return;
  const auto same = [](std::uint32_t bits) {
    const float x = float_of(bits);
    std::uint16_t expected = 0;
    narrow_by_hardware(&x, &expected);
    if (half(x).bits != expected) {
      FAIL_CHECK("float " << bits << ": " << half(x).bits << " and " << expected);
    }
  };
  for (std::uint32_t i = 0; i < (1u << 20); ++i) {
    same(i * 2654435761u);
    same(half_range(i));
  }
  for (std::uint32_t payload = 1; payload < (1u << 23); payload += 999) {
    same(0x7f800000u | payload);
    same(0xff800000u | payload);
  }
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const std::uint16_t bits = static_cast<std::uint16_t>(h);
    if ((h & 0x7fffu) > 0x7c00u && (h & 0x200u) == 0) continue;  // the hardware makes NaN quiet
    float expected = 0;
    widen_by_hardware(&bits, &expected);
    if (bits_of(static_cast<float>(half::from_bits(bits))) != bits_of(expected)) {
      FAIL_CHECK("half " << h);
    }
  }
}
#endif

TEST_CASE("small floats are two bytes, trivial to copy, and convert only when asked") {
  static_assert(sizeof(half) == 2 && sizeof(bfloat16) == 2 && alignof(half) == 2);
  static_assert(std::is_trivially_copyable_v<half> && std::is_trivially_copyable_v<bfloat16>);
  static_assert(!std::is_convertible_v<float, half> && !std::is_convertible_v<half, float>);
  static_assert(half().bits == 0 && half::from_bits(0x3c00).bits == 0x3c00);
}

#ifdef PARE_DETAIL_BIT_CAST_BUILTIN
TEST_CASE("small floats work in constant expressions") {
  static_assert(half(1.0f).bits == 0x3c00 && half(-65504.0f).bits == 0xfbff);
  static_assert(half(65520.0f).bits == 0x7c00 && half(5.9604645e-8f).bits == 1);
  static_assert(float(half::from_bits(0x3555)) == 0.333251953125f);
  static_assert(bfloat16(1.00390625f).bits == 0x3f80);  // half way: to even
  static_assert(bfloat16(1.01171875f).bits == 0x3f82);
  static_assert(float(bfloat16::from_bits(0xc020)) == -2.5f);
}
#endif

TEST_CASE("small floats compare as floats do") {
  const half zero(0.0f), minus_zero(-0.0f), one(1.0f), nan(std::nanf(""));
  CHECK(zero == minus_zero);
  CHECK(one == half(1.0f));
  CHECK(one != zero);
  CHECK(nan != nan);
  const bfloat16 b_nan(std::nanf(""));
  CHECK(bfloat16(0.0f) == bfloat16(-0.0f));
  CHECK(bfloat16(1.0f) == bfloat16(1.001f));
  CHECK(b_nan != b_nan);
}
