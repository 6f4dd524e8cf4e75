// Broken contracts are caught where checks are on: this file has its own handler, always on.
//
// The handler only counts and lets the call go on, so every access here stays within memory that
// is really there. Element types are this file's own, so that no function compiled with this
// handler is shared with other files.
#define PARE_ASSERT_LEVEL 2
#define PARE_ASSERT_HANDLER(condition, message, file, line) \
  ::contract_test::broken(condition, message, file, line)

namespace contract_test {

struct report {
  int count = 0;
  const char* condition = "";
  const char* message = "";
  const char* file = "";
  int line = 0;
};

// Not in an anonymous namespace: the handler is named inside functions of the library.
inline report last{};

inline void broken(const char* condition, const char* message, const char* file, int line) {
  last = {last.count + 1, condition, message, file, line};
}

}  // namespace contract_test

#include <pare/core/for_each.hpp>
#include <pare/core/result.hpp>
#include <pare/core/subview.hpp>

#include <string>

#include <doctest/doctest.h>

namespace {

struct number {
  int value;
};

/// How often the contract is broken in f().
template <class F>
int broken_in(F f) {
  contract_test::last = {};
  f();
  return contract_test::last.count;
}

}  // namespace

TEST_CASE("PARE_ASSERT calls the user's handler with condition, message and place") {
  CHECK(broken_in([] { PARE_ASSERT(1 + 1 == 2, "true"); }) == 0);
  const int line = __LINE__ + 1;
  CHECK(broken_in([] { PARE_ASSERT(1 + 1 == 3, "sums differ"); }) == 1);
  CHECK(std::string(contract_test::last.condition) == "1 + 1 == 3");
  CHECK(std::string(contract_test::last.message) == "sums differ");
  CHECK(std::string(contract_test::last.file) == __FILE__);
  CHECK(contract_test::last.line == line);
}

TEST_CASE("an index beyond its extent is caught") {
  number data[16] = {};
  const auto m = pare::view(data, 2, 3);
  CHECK(broken_in([&] { m(1, 2).value = 1; }) == 0);
  CHECK(broken_in([&] { m(2, 0).value = 1; }) == 1);
  CHECK(std::string(contract_test::last.message) == "an index lies beyond its extent");
  CHECK(broken_in([&] { m(0, 3).value = 1; }) == 1);
  CHECK(broken_in([&] { m(1, -1).value = 1; }) == 1);
  const auto v = pare::view(data, 4);
  CHECK(broken_in([&] { v[3].value = 1; }) == 0);
  CHECK(broken_in([&] { v[4].value = 1; }) == 1);
  number fixed[4][4] = {};
  const pare::tensor_view<number, pare::extents<pare::index_t, 2, 2>> s(&fixed[0][0]);
  CHECK(broken_in([&] { s(1, 1).value = 1; }) == 0);
  CHECK(broken_in([&] { s(0, 2).value = 1; }) == 1);
}

TEST_CASE("a slice beyond the extent is caught") {
  number data[64] = {};
  const auto v = pare::view(data + 16, 8);
  CHECK(broken_in([&] { (void)pare::subview(v, pare::range{2, 8}); }) == 0);
  CHECK(broken_in([&] { (void)pare::subview(v, pare::range{8, 8}); }) == 0);
  CHECK(broken_in([&] { (void)pare::subview(v, 8); }) == 1);
  CHECK(broken_in([&] { (void)pare::subview(v, -1); }) == 1);
  CHECK(broken_in([&] { (void)pare::subview(v, pare::range{2, 9}); }) == 1);
  CHECK(broken_in([&] { (void)pare::subview(v, pare::range{-1, 2}); }) == 1);
  CHECK(broken_in([&] { (void)pare::subview(v, pare::strided_range{0, 9, 2}); }) == 1);
}

TEST_CASE("extents that contradict each other are caught") {
  using shape = pare::extents<pare::index_t, 3, pare::dynamic_extent>;
  CHECK(broken_in([] { (void)shape(3, 5); }) == 0);
  CHECK(broken_in([] { (void)shape(4, 5); }) == 1);
  CHECK(broken_in([] { (void)shape(3, -5); }) == 1);
}

TEST_CASE("visiting two views of different shapes is caught") {
  number a[6] = {}, b[6] = {};
  const auto nothing = [](number&, number&, pare::index_t) {};
  CHECK(broken_in([&] { pare::for_each_pair(pare::view(a, 6), pare::view(b, 6), nothing); }) == 0);
  CHECK(broken_in([&] { pare::for_each_pair(pare::view(a, 5), pare::view(b, 6), nothing); }) == 1);
}

TEST_CASE("reading the value of an error is caught") {
  pare::result<number> r(pare::status_code::empty, "nothing there");
  CHECK(broken_in([&] { (void)*r; }) == 1);
  CHECK(broken_in([&] { (void)r->value; }) == 1);
  r = number{3};
  CHECK(broken_in([&] { (void)*r; }) == 0);
  CHECK(broken_in([] { (void)pare::result<number>(pare::error{}); }) == 1);
}
