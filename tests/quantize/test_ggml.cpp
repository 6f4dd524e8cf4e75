// Blocks against those that ggml itself writes (vectors: tools/make_block_vectors.py).
#include <pare/quantize/ggml.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;

namespace {

/// f(Block(), name) for every format.
template <class F>
void for_each_format(F f) {
  f(pare::ggml::q8_0(), "q8_0");
  f(pare::ggml::q4_0(), "q4_0");
  f(pare::ggml::q4_1(), "q4_1");
  f(pare::ggml::q4_k(), "q4_K");
  f(pare::ggml::q6_k(), "q6_K");
  f(pare::ggml::tq2_0(), "tq2_0");
  f(pare::ggml::mxfp4(), "mxfp4");
}

}  // namespace

TEST_CASE("every format has the bytes that ggml writes, and comes back as ggml reads them") {
  const auto vectors = pare_test::load("quantize/ggml.npz");
  const auto w = vectors.get<float, 2>("w");
  for_each_format([&](auto format, const std::string& name) {
    using block = decltype(format);
    CAPTURE(name);
    const auto expected = vectors.get<std::uint8_t, 2>(name + "_blocks");
    const auto bits = vectors.get<std::uint64_t, 1>(name + "_back_bits");
    const auto blocks = pare::quantize_ggml<block>(w.view());
    REQUIRE(blocks);
    REQUIRE(blocks->size() * static_cast<index_t>(sizeof(block)) == expected.size());
    pare::tensor<std::uint8_t, 2> bytes(expected.extents());
    std::memcpy(bytes.data(), blocks->data(), static_cast<std::size_t>(bytes.size()));
    CHECK(pare_test::equal(bytes, expected));

    pare::tensor<float, 2> back(w.extents());
    REQUIRE(pare::dequantize_ggml(blocks->view(), back.view()) == status::ok);
    for (index_t r = 0; r < back.extent(0); ++r) {
      std::uint64_t sum = 0;
      for (index_t i = 0; i < back.extent(1); ++i) {
        sum += pare::detail::bit_cast<std::uint32_t>(back(r, i));
      }
      CAPTURE(r);
      CHECK(sum == bits(r));
    }
  });
}

TEST_CASE("blocks of any layout, with what they lose") {
  const auto w = pare_test::load("quantize/ggml.npz").get<float, 2>("w");
  const auto columns = pare_test::column_major_copy(w);
  for_each_format([&](auto format, const std::string& name) {
    using block = decltype(format);
    CAPTURE(name);
    pare::error_meter errors, expected;
    const auto blocks = pare::quantize_ggml<block>(w.view(), &errors).value();
    const auto same = pare::quantize_ggml<block>(columns.view()).value();
    CHECK(std::memcmp(blocks.data(), same.data(),
                      static_cast<std::size_t>(same.size()) * sizeof(block)) == 0);
    pare_test::column_major<float, 2> back(w.extents());
    REQUIRE(pare::dequantize_ggml(blocks.view(), back.view()) == status::ok);
    pare::for_each_pair(w.view(), back.view(),
                        [&](float x, float y, index_t) { expected.add(x, y); });
    CHECK(errors.count() == w.size());
    CHECK(errors.max_error() == expected.max_error());
    CHECK(errors.rms_error() == expected.rms_error());
  });
}

TEST_CASE("what ggml's blocks refuse") {
  pare::tensor<float, 2> w({2, 256});
  CHECK(pare::quantize_ggml<pare::ggml::q8_0>(pare::view(w.data(), 2, 33)) ==
        status::shape_mismatch);
  CHECK(pare::quantize_ggml<pare::ggml::q4_k>(pare::view(w.data(), 2, 128)) ==
        status::shape_mismatch);
  CHECK(pare::quantize_ggml<pare::ggml::q4_k>(pare::view(w.data(), 0, 256)));
  CHECK(pare::quantize_ggml<pare::ggml::q4_k>(pare::view(w.data(), 2, 0)));
  w(1, 3) = 65536.0f;
  CHECK(pare::quantize_ggml<pare::ggml::q6_k>(w.view()) == status::out_of_range);
  CHECK(pare::quantize_ggml<pare::ggml::mxfp4>(w.view()));
  w(1, 3) = std::numeric_limits<float>::quiet_NaN();
  const auto nan = pare::quantize_ggml<pare::ggml::mxfp4>(w.view());
  CHECK(nan == status::non_finite);
  CHECK(nan.error().position == 259);
  pare::tensor<pare::ggml::q4_0, 2> blocks({2, 8});
  CHECK(pare::dequantize_ggml(blocks.view(), pare::view(w.data(), 2, 255)) ==
        status::shape_mismatch);
  CHECK(pare::dequantize_ggml(blocks.view(), pare::view(w.data(), 1, 256)) ==
        status::shape_mismatch);
}
