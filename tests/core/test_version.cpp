// The version as numbers and as text.
#include <pare/core/version.hpp>

#include <string>

#include <doctest/doctest.h>

TEST_CASE("the version's text and numbers agree") {
  const std::string numbers = std::to_string(PARE_VERSION_MAJOR) + "." +
                              std::to_string(PARE_VERSION_MINOR) + "." +
                              std::to_string(PARE_VERSION_PATCH);
  CHECK(numbers == PARE_VERSION_STRING);
}
