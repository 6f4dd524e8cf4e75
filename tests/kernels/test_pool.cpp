// Pooling against TensorFlow Lite's arithmetic (vectors: tools/make_elementwise_vectors.py), and
// every instruction set against the definition.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/pool.hpp>

#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::window;

namespace {

template <class Code>
void check_case(const pare_test::archive& a, const std::string& id) {
  const auto x = a.get<Code, 4>("x" + id);
  const auto most = a.get<Code, 4>("max" + id), mean = a.get<Code, 4>("average" + id);
  const auto n = a.get<std::int64_t, 1>("window" + id);
  const auto limits = a.get<std::int32_t, 1>("limits" + id);
  const auto at = [&n](int i) { return static_cast<index_t>(n(i)); };
  window w{at(0), at(1), at(2), at(3), 1, 1, at(4), at(5), at(6), at(7)};
  if (a.scalar<int>("same" + id) != 0) {
    const auto same = pare::same_padding(w, x.extent(1), x.extent(2)).value();
    CHECK(same.pad_top == w.pad_top);
    CHECK(same.pad_bottom == w.pad_bottom);
    CHECK(same.pad_left == w.pad_left);
    CHECK(same.pad_right == w.pad_right);
  }
  const pare::code_limits clamp{limits(0), limits(1)};
  pare_test::for_each_isa([&](pare::isa) {
    pare::tensor<Code, 4> y{most.extents()};
    REQUIRE(pare::max_pool(x.view(), w, y.view(), clamp) == pare::status::ok);
    CHECK(pare_test::equal(y, most));
    REQUIRE(pare::average_pool(x.view(), w, y.view(), clamp) == pare::status::ok);
    CHECK(pare_test::equal(y, mean));
  });
}

struct pooled {
  int most, mean;
};

/// The window that begins at (i, j), by the definition.
template <class Code>
pooled pool_one(const pare::tensor<Code, 4>& x, index_t image, index_t i, index_t j, index_t c,
                const window& w) {
  int most = std::numeric_limits<int>::min();
  std::int64_t sum = 0, count = 0;
  for (index_t r = 0; r < w.height; ++r) {
    for (index_t s = 0; s < w.width; ++s) {
      const index_t row = i + r, column = j + s;
      if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2)) continue;
      most = std::max<int>(most, x(image, row, column, c));
      sum += x(image, row, column, c);
      ++count;
    }
  }
  const double mean = std::round(static_cast<double>(sum) / static_cast<double>(count));
  return {most, static_cast<int>(mean)};
}

template <class Code>
void check_definition(const pare::tensor<Code, 4>& x, const window& w, pare::code_limits limits) {
  const index_t shape[] = {x.extent(0), pare::output_height(w, x.extent(1)).value(),
                           pare::output_width(w, x.extent(2)).value(), x.extent(3)};
  pare::tensor<Code, 4> most(shape), mean(shape);
  const int low = std::max<int>(limits.low, std::numeric_limits<Code>::min()),
            high = std::min<int>(limits.high, std::numeric_limits<Code>::max());
  for (index_t n = 0; n < shape[0]; ++n) {
    for (index_t i = 0; i < shape[1]; ++i) {
      for (index_t j = 0; j < shape[2]; ++j) {
        for (index_t c = 0; c < shape[3]; ++c) {
          const pooled p =
              pool_one(x, n, i * w.stride_y - w.pad_top, j * w.stride_x - w.pad_left, c, w);
          most(n, i, j, c) = static_cast<Code>(std::min(high, std::max(low, p.most)));
          mean(n, i, j, c) = static_cast<Code>(std::min(high, std::max(low, p.mean)));
        }
      }
    }
  }
  const auto apart = pare_test::strided_copy(x, 3);
  pare_test::for_each_isa([&](pare::isa) {
    const index_t column = shape[3] + 2, row = shape[2] * column + 1, image = shape[1] * row + 5;
    pare_test::strided<Code, 4> y(shape, {image, row, column, 1});
    REQUIRE(pare::max_pool(apart.view(), w, y.view(), limits) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), most));
    REQUIRE(pare::average_pool(x.view(), w, y.view(), limits, pare::std_threads{2}) ==
            pare::status::ok);
    CHECK(pare_test::equal(y.view(), mean));
    CHECK(y.gaps_untouched());
  });
}

template <class Code>
void check_random(std::uint32_t seed) {
  CAPTURE(seed);
  pare_test::random_source random(seed);
  const auto pick = [&](index_t low, index_t high) {
    return static_cast<index_t>(random.integer(low, high));
  };
  window w;
  w.height = pick(1, 4), w.width = pick(1, 5);
  w.stride_y = pick(1, 3), w.stride_x = pick(1, 3);
  w.pad_top = pick(0, w.height - 1), w.pad_bottom = pick(0, w.height - 1);
  w.pad_left = pick(0, w.width - 1), w.pad_right = pick(0, w.width - 1);
  const index_t shape[] = {pick(1, 2), pick(w.height, 9), pick(w.width, 9), pick(1, 70)};
  const pare::code_limits limits =
      random.integer(0, 1) == 0 ? pare::code_limits{} : pare::code_limits{-20, 90};
  check_definition(pare_test::random_codes<Code>(shape, seed + 1), w, limits);
}

}  // namespace

TEST_CASE("pools are those of TensorFlow Lite") {
  const auto a = pare_test::load("kernels/pool.npz");
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

TEST_CASE("every instruction set pools by the definition") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    check_random<std::int8_t>(seed);
    check_random<std::uint8_t>(seed);
  }
}

TEST_CASE("large windows: sums beyond 16 bits, and beyond what a float divides") {
  for (const index_t size : {16, 17, 90, 91}) {
    window w{size, size};
    const index_t shape[] = {1, size, size, 24};
    CAPTURE(size);
    check_definition(pare_test::random_codes<std::int8_t>(shape, 1), w, {});
    check_definition(pare_test::random_codes<std::uint8_t>(shape, 2), w, {});
    // The extremes, and one code less, so that the mean is nearly a tie.
    pare::tensor<std::int8_t, 4> low(shape), high(shape);
    pare::tensor<std::uint8_t, 4> full(shape);
    for (auto& code : low) code = -128;
    for (auto& code : high) code = 127;
    for (auto& code : full) code = 255;
    for (index_t i = 0; i < size * size / 2; ++i) low(0, i / size, i % size, 3) = -127;
    for (index_t i = 0; i < size * size / 2 + 1; ++i) high(0, i / size, i % size, 5) = 126;
    for (index_t i = 0; i < size * size / 2; ++i) full(0, i / size, i % size, 7) = 254;
    check_definition(low, w, {});
    check_definition(high, w, {});
    check_definition(full, w, {});
  }
}

TEST_CASE("means near ties round as integers do, for every count") {
  for (index_t taps = 1; taps <= 300; ++taps) {
    pare::tensor<std::int8_t, 4> x({1, 1, taps, 16});
    pare_test::random_source random(static_cast<std::uint32_t>(taps));
    for (index_t c = 0; c < 16; ++c) {
      // The sum of channel c lies around count * (k + 1/2).
      const std::int64_t k = random.integer(-120, 118), sum = taps * k + taps / 2 + (c % 4) - 1;
      for (index_t j = 0; j < taps; ++j) {
        const std::int64_t before = sum * j / taps, after = sum * (j + 1) / taps;
        x(0, 0, j, c) = static_cast<std::int8_t>(after - before);
      }
    }
    check_definition(x, window{1, taps}, {});
  }
}

TEST_CASE("windows of more taps than a float could divide by") {
  for (const index_t size : {127, 128, 129, 131}) {
    CAPTURE(size);
    pare::tensor<std::uint8_t, 4> x({1, size, size, 32});
    for (index_t i = 0; i < size * size; ++i) {
      for (index_t c = 0; c < 32; ++c) {
        const int one_less = i < (size * size + 1) / 2 ? 1 : 0;
        x(0, i / size, i % size, c) = static_cast<std::uint8_t>(255 - c - one_less);
      }
    }
    check_definition(x, window{size, size}, {});
  }
}

TEST_CASE("bad input leaves y untouched") {
  const auto x = pare_test::random_codes<std::int8_t>({2, 6, 6, 4}, 1);
  pare::tensor<std::int8_t, 4> y({2, 3, 3, 4});
  const auto before = y;
  const window w{2, 2, 2, 2};
  const auto pool = [&](const auto& from, const window& by, const auto& to,
                        pare::code_limits limits = {}) {
    const auto first = pare::max_pool(from, by, to, limits),
               second = pare::average_pool(from, by, to, limits);
    CHECK(first.code() == second.code());
    return first;
  };
  CHECK(pool(x.view(), window{0, 2, 2, 2}, y.view()) == pare::status::out_of_range);
  CHECK(pool(x.view(), window{2, 2, 0, 2}, y.view()) == pare::status::out_of_range);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 2, 1}, y.view()) == pare::status::unsupported);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 1, 2}, y.view()) == pare::status::unsupported);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 1, 1, 2}, y.view()) == pare::status::out_of_range);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 1, 1, 0, 2}, y.view()) == pare::status::out_of_range);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 1, 1, 0, 0, 2}, y.view()) == pare::status::out_of_range);
  CHECK(pool(x.view(), window{2, 2, 2, 2, 1, 1, 0, 0, 0, 2}, y.view()) ==
        pare::status::out_of_range);
  CHECK(pool(x.view(), window{7, 2, 2, 2}, y.view()) == pare::status::shape_mismatch);
  CHECK(pool(x.view(), window{1 << 12, 1 << 12}, y.view()) == pare::status::overflow);
  CHECK(pool(x.view(), window{PTRDIFF_MAX, 2}, y.view()) == pare::status::overflow);
  CHECK(pool(pare::view(x.data(), 1, 0, 6, 4), w, y.view()) == pare::status::empty);
  CHECK(pool(pare::view(x.data(), 1, 6, 0, 4), w, y.view()) == pare::status::empty);
  CHECK(pool(pare::view(x.data(), 1, 6, 6, 4), w, y.view()) == pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 4, 6, 4), w, y.view()) == pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 6, 4, 4), w, y.view()) == pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 6, 6, 3), w, y.view()) == pare::status::shape_mismatch);
  CHECK(pool(x.view(), w, y.view(), {5, 4}) == pare::status::out_of_range);
  CHECK(pool(x.view(), w, y.view(), {128, 200}) == pare::status::out_of_range);
  const auto apart = pare::subview(pare::view(x.data(), 2, 6, 6, 4), pare::all, pare::all,
                                   pare::all, pare::strided_range{0, 4, 2});
  CHECK(pool(apart, w, pare::view(y.data(), 2, 3, 3, 2)) == pare::status::unsupported);
  const auto to =
      pare::subview(y.view(), pare::all, pare::all, pare::all, pare::strided_range{0, 4, 2});
  CHECK(pool(pare::view(x.data(), 2, 6, 6, 2), w, to) == pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
  CHECK(pool(pare::view(x.data(), 0, 6, 6, 4), w, pare::view(y.data(), 0, 3, 3, 4)) ==
        pare::status::ok);
  CHECK(pool(pare::view(x.data(), 2, 6, 6, 0), w, pare::view(y.data(), 2, 3, 3, 0)) ==
        pare::status::ok);
}
