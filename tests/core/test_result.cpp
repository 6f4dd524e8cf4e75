// result: a value or an error, in the vocabulary of std::expected.
#include <pare/core/result.hpp>

#include <memory>
#include <string>

#include <doctest/doctest.h>
#include "support/check.hpp"

namespace {

constexpr pare::error nothing_there{pare::status_code::empty, pare::position_kind::axis,
                                    "nothing there", "weights", 1};

constexpr pare::result<int> halved(int x) {
  if (x % 2 != 0) return {pare::status_code::invalid_argument, "odd", "x"};
  return x / 2;
}

/// Counts how many of it are alive.
struct counted {
  static inline int alive = 0;
  int value = 0;
  explicit counted(int v) : value(v) { ++alive; }
  counted(const counted& other) : value(other.value) { ++alive; }
  counted(counted&& other) noexcept : value(std::exchange(other.value, -1)) { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&&) = default;
  ~counted() { --alive; }
};

}  // namespace

TEST_CASE("a result holds a value or an error, in constant expressions too") {
  constexpr auto four = halved(8);
  static_assert(four.has_value() && four && *four == 4 && four.value() == 4);
  static_assert(four == pare::status_code::ok);
  constexpr auto none = halved(7);
  static_assert(!none && none == pare::status_code::invalid_argument && none.value_or(9) == 9);
  CHECK(std::string(none.error().message) == "odd");
  CHECK(std::string(none.error().subject) == "x");
  CHECK(none.status() == pare::status::invalid_argument);
  CHECK(four.status() == pare::status::ok);
  CHECK(four.value_or(9) == 4);
  CHECK(none != pare::status::ok);
}

TEST_CASE("values that own something are built, moved, copied and destroyed once") {
  counted::alive = 0;
  {
    pare::result<counted> a = counted(3);
    CHECK(counted::alive == 1);
    pare::result<counted> b = a;
    CHECK(counted::alive == 2);
    CHECK(b->value == 3);
    pare::result<counted> c = std::move(a);
    CHECK(c->value == 3);
    CHECK(a->value == -1);  // NOLINT(bugprone-use-after-move): the value was moved out of
    c = pare::result<counted>(nothing_there);
    CHECK(counted::alive == 2);
    CHECK(c == pare::status::empty);
    c = b;
    CHECK(counted::alive == 3);
    CHECK(c->value == 3);
    c = std::move(b);
    CHECK(counted::alive == 3);
    const counted out = *std::move(c);
    CHECK(out.value == 3);
    pare::result<counted>& same = a;
    a = same;
    CHECK(a.has_value());
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("values that can only be moved are moved") {
  pare::result<std::unique_ptr<int>> r = std::make_unique<int>(5);
  const std::unique_ptr<int> p = std::move(r).value();
  CHECK(*p == 5);
  pare::result<std::unique_ptr<int>> failed = nothing_there;
  CHECK(std::move(failed).value_or(nullptr) == nullptr);
  CHECK(halved(7).value_or(9) == 9);
  CHECK(halved(8).value_or(9) == 4);
}

TEST_CASE("and_then and transform go on with a value and pass an error on") {
  static_assert(halved(12).and_then(halved).value() == 3);
  CHECK(halved(12).and_then(halved).and_then(halved) == pare::status::invalid_argument);
  int calls = 0;
  const auto counted_half = [&](int x) { return ++calls, halved(x); };
  CHECK(halved(3).and_then(counted_half) == pare::status::invalid_argument);
  CHECK(calls == 0);
  const auto twice = [&](int x) { return ++calls, 2.0 * x; };
  const auto kept = pare::result<int>(nothing_there).transform(twice);
  CHECK(kept == pare::status::empty);
  CHECK(kept.error().position == 1);
  CHECK(calls == 0);
  const pare::result<double> doubled = halved(6).transform(twice);
  CHECK(*doubled == 6.0);
  CHECK(calls == 1);
}

#if PARE_EXCEPTIONS
TEST_CASE("value() of an error throws what it is") {
  pare::result<std::string> r = nothing_there;
  bool thrown = false;
  try {
    r.value() += "x";
  } catch (const pare::bad_result_access& e) {
    thrown = true;
    CHECK(std::string(e.what()) == "nothing there");
    CHECK(e.error().code == pare::status::empty);
    CHECK(e.error().position == 1);
  }
  CHECK(thrown);
  CHECK_THROWS_AS((void)halved(1).value(), std::exception);
  CHECK_NOTHROW((void)halved(2).value());
}
#endif
