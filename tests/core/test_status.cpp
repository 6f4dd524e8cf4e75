// Status and error: what a call says when it could not do its work.
#include <pare/core/status.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>
#include "support/check.hpp"

namespace {

pare::status fails_at(pare::index_t row) {
  return {pare::status_code::non_finite, "a weight is not finite", "weights",
          pare::position_kind::row, row};
}

pare::status passes_on(const pare::status& inner, bool& reached) {
  PARE_RETURN_IF_ERROR(inner);
  reached = true;
  return {};
}

}  // namespace

TEST_CASE("a status is ok unless it holds an error") {
  constexpr pare::status s;
  static_assert(s.is_ok() && s && s == pare::status::ok && s != pare::status::empty);
  CHECK(s.code() == pare::status::ok);

  const pare::status failed = fails_at(7);
  CHECK_FALSE(failed);
  CHECK_FALSE(failed.is_ok());
  CHECK(failed == pare::status::non_finite);
  CHECK(failed != pare::status::ok);
  CHECK(std::string(failed.error().message) == "a weight is not finite");
  CHECK(std::string(failed.error().subject) == "weights");
  CHECK(failed.error().kind == pare::position_kind::row);
  CHECK(failed.error().position == 7);
}

TEST_CASE("PARE_RETURN_IF_ERROR leaves with the error as it is, and only with an error") {
  bool reached = false;
  const pare::status s = passes_on(fails_at(3), reached);
  CHECK_FALSE(reached);
  CHECK(s == pare::status::non_finite);
  CHECK(s.error().position == 3);
  CHECK(passes_on({}, reached) == pare::status::ok);
  CHECK(reached);
}

TEST_CASE("status and error are trivial to copy and pass between translation units") {
  static_assert(std::is_trivially_copyable_v<pare::error>);
  static_assert(std::is_trivially_copyable_v<pare::status>);
  static_assert(std::is_standard_layout_v<pare::error>);
  static_assert(sizeof(pare::status) == sizeof(pare::error));
}

TEST_CASE("every code has its name") {
  CHECK(std::string(name(pare::status_code::ok)) == "ok");
  CHECK(std::string(name(pare::status_code::workspace_too_small)) == "workspace_too_small");
  for (int code = 0; code <= static_cast<int>(pare::status_code::out_of_memory); ++code) {
    for (int other = 0; other <= code; ++other) {
      const std::string a = name(static_cast<pare::status_code>(code));
      const std::string b = name(static_cast<pare::status_code>(other));
      CHECK(a != "unknown");
      CHECK((a == b) == (code == other));
    }
  }
  CHECK(std::string(name(static_cast<pare::status_code>(200))) == "unknown");
}
