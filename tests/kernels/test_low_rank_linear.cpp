// Low-rank linear against the same product with dense loops.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/low_rank_linear.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

TEST_CASE("low-rank linear is the product of both factors, for all sizes, strides and threads") {
  for (const index_t rows : {0, 1, 5}) {
    for (const index_t in : {0, 1, 37}) {
      for (const index_t rank : {0, 1, 18}) {
        const auto left = pare_test::random_normal<float>({21, rank}, 1);
        const auto right = pare_test::random_normal<float>({rank, in}, 2);
        const auto bias = pare_test::random_normal<float>({21}, 3);
        const auto x = pare_test::random_normal<float>({rows, in}, 4);
        const pare::low_rank_view<float> w{left.view(), right.view()};
        pare::tensor<float, 2> expected({rows, 21});
        for (index_t r = 0; r < rows; ++r) {
          for (index_t o = 0; o < 21; ++o) {
            double y = bias(o);
            for (index_t j = 0; j < rank; ++j) {
              for (index_t i = 0; i < in; ++i)
                y += static_cast<double>(x(r, i)) * left(o, j) * right(j, i);
            }
            expected(r, o) = static_cast<float>(std::max(y, 0.0));
          }
        }
        const index_t bytes = pare::low_rank_workspace_size(rank, rows).value();
        pare::tensor<std::byte, 1> memory({bytes});
        const pare::workspace scratch(memory.data(), bytes);
        const auto x_apart = pare_test::strided_copy(x, 5);
        pare_test::strided<float, 2> y({rows, 21}, {26, 1});
        REQUIRE(pare::linear(x_apart.view(), w, bias.view(), y.view(), scratch,
                             pare::activation::relu) == pare::status::ok);
        CHECK(pare_test::near(y.view(), expected.view(), 1e-4, 1e-4));
        CHECK(y.gaps_untouched());
        pare::tensor<float, 2> threaded({rows, 21});
        REQUIRE(pare::linear(x.view(), w, bias.view(), threaded.view(), scratch,
                             pare::activation::relu, pare::std_threads{3}) == pare::status::ok);
        CHECK(pare_test::equal_bits(threaded.view(),
                                    pare::tensor<float, 2>::copy_of(y.view()).value().view()));
      }
    }
  }
}

TEST_CASE("bad input leaves y untouched") {
  const pare::tensor<float, 2> left({4, 3}), right({3, 6}), x({2, 6}), narrow({2, 5});
  const pare::tensor<float, 1> bias({3});
  const pare::low_rank_view<float> w{left.view(), right.view()};
  pare::tensor<float, 2> y({2, 4}), tall({3, 4});
  for (auto& v : y) v = 42.0f;
  alignas(64) std::byte memory[256];
  const pare::workspace scratch(memory);
  CHECK(pare::linear(narrow.view(), w, {}, y.view(), scratch) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), w, {}, tall.view(), scratch) == pare::status::shape_mismatch);
  CHECK(pare::linear(x.view(), w, bias.view(), y.view(), scratch) == pare::status::shape_mismatch);
  const pare::low_rank_view<float> mismatched{left.view(), x.view()};
  CHECK(pare::linear(x.view(), mismatched, {}, y.view(), scratch) == pare::status::shape_mismatch);
  const auto s = pare::linear(x.view(), w, {}, y.view(), pare::workspace(memory, 8));
  CHECK(s == pare::status::workspace_too_small);
  CHECK(s.error().position == pare::low_rank_workspace_size(3, 2).value());
  CHECK(pare::low_rank_workspace_size(PTRDIFF_MAX / 2, 4) == pare::status::overflow);
  for (const float v : y) CHECK(v == 42.0f);
}
