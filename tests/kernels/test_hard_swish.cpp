// Hard swish as a table against TensorFlow Lite's 16-bit arithmetic (vectors:
// tools/make_elementwise_vectors.py).
#include <pare/kernels/hard_swish.hpp>

#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/vectors.hpp"

namespace {

template <class Code>
void check_case(const pare_test::archive& a, const std::string& id) {
  const auto scales = a.get<float, 1>("scales" + id);
  const auto zeros = a.get<std::int32_t, 1>("zeros" + id);
  const auto expected = a.get<Code, 1>("y" + id);
  const auto table =
      pare::make_hard_swish_table<Code>({scales(0), zeros(0)}, {scales(1), zeros(1)}).value();
  constexpr int least = std::numeric_limits<Code>::min(), most = std::numeric_limits<Code>::max();
  for (int code = least; code <= most; ++code) {
    CAPTURE(code);
    const int y = table(static_cast<Code>(code));
    CHECK(y == int{expected(code - least)});
    // Within a code and a half of the function itself.
    const double x = double{scales(0)} * (code - zeros(0));
    const double real = x * std::fmin(std::fmax(x + 3, 0), 6) / 6 / double{scales(1)} + zeros(1);
    CHECK(std::fabs(std::fmin(most, std::fmax(least, real)) - y) <= 1.5);
  }
}

constexpr auto at_compile_time =
    pare::make_hard_swish_table<std::int8_t>({0.05f, 0}, {0.05f, 0}).value();
static_assert(at_compile_time(100) == 100 && at_compile_time(-100) == 0);

}  // namespace

TEST_CASE("the table is that of TensorFlow Lite's HARD_SWISH") {
  const auto a = pare_test::load("kernels/hard_swish.npz");
  for (int i = 0; i < a.scalar<int>("cases"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    if (a.scalar<int>("signed" + id) != 0) {
      check_case<std::int8_t>(a, id);
    } else {
      check_case<std::uint8_t>(a, id);
    }
  }
}

TEST_CASE("bad parameters make no table") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto make = [](pare::affine_params x, pare::affine_params y) {
    return pare::make_hard_swish_table<std::int8_t>(x, y).status();
  };
  CHECK(make({nan, 0}, {1.0f, 0}) == pare::status::non_finite);
  CHECK(make({1.0f, 0}, {nan, 0}) == pare::status::non_finite);
  CHECK(make({0.0f, 0}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {0.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 128}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {1.0f, -129}) == pare::status::out_of_range);
  CHECK(make({128.0f, 0}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({127.0f, 0}, {1.0f, 0}) == pare::status::ok);
  CHECK(make({1.0f, 0}, {600.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {500.0f, 0}) == pare::status::ok);
  CHECK(make({0x1p-23f, 0}, {0x1p-23f, 0}) == pare::status::out_of_range);
  CHECK(make({0x1p-21f, 0}, {0x1p-21f, 0}) == pare::status::ok);
  CHECK(make({1e30f, 0}, {1e30f, 0}) == pare::status::ok);
}
