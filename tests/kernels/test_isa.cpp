// Which kernels run, and forcing others.
#include <pare/kernels/isa.hpp>

#include <cstring>
#include <string>

#include "support/check.hpp"
#include "support/isas.hpp"

TEST_CASE("scalar code runs everywhere, and the best instruction set is active") {
  CHECK(pare::is_supported(pare::isa::scalar));
  pare::isa best = pare::isa::scalar;
  for (const pare::isa i : pare::all_isas) {
    if (pare::is_supported(i)) best = i;
  }
  CHECK(pare::active_isa() == best);
}

#if PARE_X86_KERNELS
TEST_CASE("detection agrees with the compiler's") {
  CHECK(pare::is_supported(pare::isa::sse2));
  CHECK(pare::is_supported(pare::isa::avx2) == (__builtin_cpu_supports("avx2") != 0));
  const bool has_avx512 = __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  CHECK(pare::is_supported(pare::isa::avx512bw) == has_avx512);
  CHECK(pare::is_supported(pare::isa::avx512vnni) ==
        (has_avx512 && __builtin_cpu_supports("avx512vnni")));
}
#endif

#if PARE_NEON_KERNELS
TEST_CASE("64-bit ARM has NEON, and each set includes those before it") {
  CHECK(pare::is_supported(pare::isa::neon));
  CHECK((pare::is_supported(pare::isa::dotprod) || !pare::is_supported(pare::isa::i8mm)));
#if defined(__linux__)
  CHECK(pare::is_supported(pare::isa::dotprod) == ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0));
#endif
}
#endif

TEST_CASE("a machine has the instruction sets of one architecture") {
  const bool is_x86 = pare::is_supported(pare::isa::sse2);
  const bool is_arm = pare::is_supported(pare::isa::neon);
  CHECK_FALSE((is_x86 && is_arm));
  CHECK((is_x86 || !pare::is_supported(pare::isa::avx512vnni)));
  CHECK((is_arm || !pare::is_supported(pare::isa::i8mm)));
}

TEST_CASE("an instruction set can be forced and given back") {
  const pare::isa before = pare::active_isa();
  CHECK(pare::set_active_isa(pare::isa::scalar) == pare::status::ok);
  CHECK(pare::active_isa() == pare::isa::scalar);
  CHECK(pare::set_active_isa(before) == pare::status::ok);
  CHECK(pare::active_isa() == before);
}

TEST_CASE("what the machine cannot run is refused and changes nothing") {
  const pare::isa before = pare::active_isa();
  for (const pare::isa i : pare::all_isas) {
    if (pare::is_supported(i)) continue;
    CHECK(pare::set_active_isa(i) == pare::status::unsupported);
    CHECK(pare::active_isa() == before);
  }
  for (const int unknown : {9, 11, 15, 16, 31, 255}) {
    CHECK(pare::set_active_isa(static_cast<pare::isa>(unknown)) == pare::status::unsupported);
  }
  CHECK(pare::active_isa() == before);
}

TEST_CASE("names are those of the enumeration") {
  CHECK(std::string(pare::name(pare::isa::avx512vnni)) == "avx512vnni");
  CHECK(std::string(pare::name(pare::isa::scalar)) == "scalar");
  CHECK(std::string(pare::name(pare::isa::i8mm)) == "i8mm");
}
