// Sparse linear against the same product with dense loops.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/sparse_linear.hpp>

#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

/// A matrix with about one non-zero in four, dense and in compressed rows.
struct sparse_case {
  pare::tensor<float, 2> dense;
  std::vector<std::uint32_t> offsets, columns;
  std::vector<float> values;

  sparse_case(index_t out, index_t in, std::uint32_t seed) : dense({out, in}) {
    pare_test::random_source random(seed);
    offsets.push_back(0);
    for (index_t r = 0; r < out; ++r) {
      for (index_t c = 0; c < in; ++c) {
        if (random.integer(0, 3) != 0 || r % 5 == 3) continue;
        dense(r, c) = static_cast<float>(random.normal());
        columns.push_back(static_cast<std::uint32_t>(c));
        values.push_back(dense(r, c));
      }
      offsets.push_back(static_cast<std::uint32_t>(values.size()));
    }
  }
  pare::csr_view<float> view() const {
    return {dense.extent(0), dense.extent(1), offsets.data(), columns.data(), values.data()};
  }
};

}  // namespace

TEST_CASE("sparse linear is the dense product, for all batch sizes, strides and threads") {
  for (const index_t rows : {0, 1, 3, 8, 19}) {
    for (const index_t in : {0, 1, 40}) {
      const sparse_case c(23, in, 1);
      REQUIRE(pare::validate(c.view(), static_cast<index_t>(c.values.size())) == pare::status::ok);
      const auto x = pare_test::random_normal<float>({rows, in}, 2);
      const auto bias = pare_test::random_normal<float>({23}, 3);
      const auto x_apart = pare_test::strided_copy(x, 5);
      for (const auto act :
           {pare::activation::none, pare::activation::relu, pare::activation::relu6}) {
        pare::tensor<float, 2> expected({rows, 23});
        for (index_t r = 0; r < rows; ++r) {
          for (index_t o = 0; o < 23; ++o) {
            double y = bias(o);
            for (index_t i = 0; i < in; ++i) y += static_cast<double>(x(r, i)) * c.dense(o, i);
            if (act != pare::activation::none) y = std::max(y, 0.0);
            if (act == pare::activation::relu6) y = std::min(y, 6.0);
            expected(r, o) = static_cast<float>(y);
          }
        }
        pare_test::strided<float, 2> y({rows, 23}, {26, 1});
        REQUIRE(pare::linear(x_apart.view(), c.view(), bias.view(), y.view(), act) ==
                pare::status::ok);
        CHECK(pare_test::near(y.view(), expected.view(), 1e-5, 1e-5));
        CHECK(y.gaps_untouched());
        pare::tensor<float, 2> threaded({rows, 23});
        REQUIRE(pare::linear(x.view(), c.view(), bias.view(), threaded.view(), act,
                             pare::std_threads{3}) == pare::status::ok);
        CHECK(pare_test::equal_bits(threaded.view(),
                                    pare::tensor<float, 2>::copy_of(y.view()).value().view()));
      }
    }
  }
}

TEST_CASE("without a bias there is none") {
  const sparse_case c(4, 6, 4);
  const pare::tensor<float, 2> x({2, 6});
  pare::tensor<float, 2> y({2, 4});
  for (auto& v : y) v = 42.0f;
  REQUIRE(pare::linear(x.view(), c.view(), {}, y.view()) == pare::status::ok);
  for (const float v : y) CHECK(v == 0.0f);
}

TEST_CASE("shapes that do not fit leave y untouched") {
  const sparse_case c(4, 6, 5);
  const pare::tensor<float, 2> x({2, 6}), narrow({2, 5});
  const pare::tensor<float, 1> bias({3});
  pare::tensor<float, 2> y({2, 4}), wide({2, 8}), tall({3, 4});
  for (auto& v : y) v = 42.0f;
  CHECK(pare::linear(narrow.view(), c.view(), {}, y.view()) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), c.view(), {}, wide.view()) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), c.view(), {}, tall.view()) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), c.view(), bias.view(), y.view()) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), c.view(), {},
                     subview(wide.view(), pare::all, pare::strided_range{0, 8, 2})) ==
        pare::status::unsupported);
  for (const float v : y) CHECK(v == 42.0f);
}
