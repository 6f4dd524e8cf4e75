// Configuration macros, and what follows from them.
#include <pare/core/config.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#define STRING_OF2(...) #__VA_ARGS__
#define STRING_OF(...) STRING_OF2(__VA_ARGS__)

namespace {

constexpr bool seen_by_compiler = pare::detail::is_constant_evaluated();

// Volatile keeps the call from being folded.
bool seen_at_run_time() {
  volatile bool seen = pare::detail::is_constant_evaluated();
  return seen;
}

}  // namespace

TEST_CASE("sizes are signed and as wide as pointers") {
  static_assert(std::is_signed_v<pare::index_t>);
  static_assert(sizeof(pare::index_t) == sizeof(void*));
}

TEST_CASE("constant expressions are told from run time") {
#if defined(__GNUC__) || defined(__clang__)
  CHECK(seen_by_compiler);
#endif
  CHECK_FALSE(seen_at_run_time());
}

TEST_CASE("the ABI tag is one identifier that carries version, instruction set and checks") {
  const std::string tag = STRING_OF(PARE_ABI);
  const std::string version =
      std::string("v") + STRING_OF(PARE_VERSION_MAJOR) + "_" + STRING_OF(PARE_VERSION_MINOR) + "_";
  CHECK(tag.compare(0, version.size(), version) == 0);
  CHECK(tag.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
  const std::string checks = std::string("_a") + STRING_OF(PARE_ASSERTS) + "x" +
                             STRING_OF(PARE_EXCEPTIONS) + "t" + STRING_OF(PARE_ERROR_TEXTS);
  REQUIRE(tag.size() > checks.size());
  CHECK(tag.substr(tag.size() - checks.size()) == checks);
#if defined(__AVX512VNNI__)
  CHECK(tag.find("avx512vnni") != std::string::npos);
#elif defined(__AVX2__)
  CHECK(tag.find("avx") != std::string::npos);
#endif
}

TEST_CASE("exceptions are seen as the compiler has them") {
#if defined(__cpp_exceptions)
  CHECK(PARE_EXCEPTIONS == 1);
#else
  CHECK(PARE_EXCEPTIONS == 0);
#endif
}
