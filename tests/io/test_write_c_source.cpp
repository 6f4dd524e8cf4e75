// The header that is written: its text, and that it compiles to the layers that it was made of.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <pare/io/write_c_source.hpp>
#include <pare/kernels/bcsr_linear.hpp>
#include <pare/kernels/low_rank_linear.hpp>
#include <pare/kernels/offset_grouped_linear.hpp>

#include "io/small_network.hpp"
#include "support/isas.hpp"
#include "support/packed_parts.hpp"
#include "support/small_network.hpp"

using pare::index_t;

namespace {

pare::c_source_options small_options() {
  pare::c_source_options o;
  o.namespace_name = "pare_test::written";
  o.include_guard = "PARE_TESTS_IO_SMALL_NETWORK_HPP";
  o.provenance = "Layers of random numbers, for tests/io/test_write_c_source.cpp.";
  return o;
}

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A layer as it is packed for scalar kernels.
template <class View>
struct scalar_form {
  pare::tensor<std::byte, 1> memory;
  View view;
  explicit scalar_form(const View& layer)
      : memory({pare::repacked_size(layer, pare::isa::scalar).value()}),
        view(pare::repack(layer, pare::isa::scalar, pare::workspace(memory.data(), memory.size()))
                 .value()) {}
};

pare::error error_of(const std::vector<pare::named_layer>& layers,
                     const pare::c_source_options& options = {}) {
  const auto text = pare::write_c_source(layers, options);
  REQUIRE_FALSE(text);
  return text.error();
}

}  // namespace

// Layers are constants to the compiler: sizes can be computed from them.
static_assert(pare_test::written::fc.out_features == 10);
static_assert(pare::conv2d_workspace_size(pare_test::written::conv, 8, 8).value() > 0);

TEST_CASE("write_c_source: the text is the committed header, whatever machine packed the layers") {
  const std::string committed = PARE_TEST_VECTORS_DIR "/../io/small_network.hpp";
  pare_test::for_each_isa([&](pare::isa) {
    const pare_test::small_network network;
    const auto text = pare::write_c_source(network.layers(), small_options());
    REQUIRE(text);
    // PARE_TEST_REWRITE=1 in the environment writes it anew; look at the difference then.
    if (std::getenv("PARE_TEST_REWRITE") != nullptr) {
      REQUIRE(pare::save_c_source(committed, network.layers(), small_options()) ==
              pare::status::ok);
    }
    CHECK((*text == text_of(committed)));
  });
}

TEST_CASE("write_c_source: the header's layers are the packed ones to the bit") {
  namespace written = pare_test::written;
  const pare_test::small_network network;
  CHECK(pare_test::same_layer(written::fc, scalar_form(network.fc.view()).view));
  CHECK(pare_test::same_layer(written::fc_f32, scalar_form(network.fc_f32.view()).view));
  CHECK(pare_test::same_layer(written::fc_s4, scalar_form(network.fc_s4.view()).view));
  CHECK(pare_test::same_layer(written::conv, scalar_form(network.conv.view()).view));
  CHECK(pare_test::same_layer(written::conv_rows, scalar_form(network.conv_rows.view()).view));
  CHECK(
      pare_test::same_layer(written::conv_grouped, scalar_form(network.conv_grouped.view()).view));
  CHECK(pare_test::same_layer(written::depthwise, scalar_form(network.depthwise.view()).view));
  CHECK(pare_test::same_layer(written::fc_grouped, scalar_form(network.fc_grouped.view()).view));
  CHECK(pare_test::same_layer(written::fc_grouped_s8,
                              scalar_form(network.fc_grouped_s8.view()).view));
  CHECK(pare_test::same_layer(written::fc_shifted, scalar_form(network.fc_offsets.view()).view));
  CHECK(pare_test::same_layer(written::fc_sparse, network.fc_sparse.view()));
  CHECK(pare_test::same_layer(written::fc_low_rank, network.low_rank()));
  CHECK(pare_test::same_layer(written::fc_pruned, network.sparse));
  CHECK(pare_test::same_layer(written::bias, network.bias.view()));
  CHECK(reinterpret_cast<std::uintptr_t>(written::fc_grouped.panels) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(written::fc.panels) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(pare::detail::group_of(written::conv_grouped, 1).panels) %
            64 ==
        0);
}

TEST_CASE("write_c_source: the kernels take the header's layers as they are") {
  namespace written = pare_test::written;
  const pare_test::small_network network;
  const auto x = pare_test::random_codes<std::int8_t>({9, 7}, 11);
  pare::tensor<std::int8_t, 2> y({9, 10}), expected({9, 10});
  REQUIRE(pare::linear(x.view(), written::fc, y.view()) == pare::status::ok);
  REQUIRE(pare::linear(x.view(), network.fc, expected.view()) == pare::status::ok);
  CHECK(pare_test::equal(y, expected));

  const auto image = pare_test::random_codes<std::int8_t>({2, 5, 6, 4}, 12);
  pare::tensor<std::int8_t, 4> c({2, 4, 5, 4}), c_expected({2, 4, 5, 4});
  alignas(64) std::byte scratch[1024];
  REQUIRE(pare::conv2d(image.view(), written::conv_grouped, c.view(), scratch) == pare::status::ok);
  REQUIRE(pare::conv2d(image.view(), network.conv_grouped, c_expected.view(), scratch) ==
          pare::status::ok);
  CHECK(pare_test::equal(c, c_expected));

  const auto planes = pare_test::random_codes<std::int8_t>({1, 6, 7, 7}, 13);
  pare::tensor<std::int8_t, 4> d({1, 6, 7, 7}), d_expected({1, 6, 7, 7});
  REQUIRE(pare::depthwise_conv2d(planes.view(), written::depthwise, d.view()) == pare::status::ok);
  REQUIRE(pare::depthwise_conv2d(planes.view(), network.depthwise, d_expected.view()) ==
          pare::status::ok);
  CHECK(pare_test::equal(d, d_expected));
}

TEST_CASE("write_c_source: grouped, sparse and float layers run as they are") {
  namespace written = pare_test::written;
  const pare_test::small_network network;
  alignas(64) std::byte scratch[4096];
  const auto run = [&](const auto& x, const auto& layer, index_t out, auto... rest) {
    pare::tensor<float, 2> y({x.extent(0), out});
    REQUIRE(pare::linear(x.view(), layer, rest..., y.view(), scratch) == pare::status::ok);
    return y;
  };
  const auto x = pare_test::random_uniform<float>({3, 70}, 14, -1.0, 1.0);
  CHECK(pare_test::equal(run(x, written::fc_grouped_s8, 3), run(x, network.fc_grouped_s8, 3)));
  const auto x40 = pare_test::random_uniform<float>({3, 40}, 15, -1.0, 1.0);
  CHECK(pare_test::equal(run(x40, written::fc_grouped, 6), run(x40, network.fc_grouped, 6)));
  CHECK(pare_test::equal(run(x40, written::fc_shifted, 5), run(x40, network.fc_offsets, 5)));
  const auto codes = pare_test::random_codes<std::int8_t>({3, 22}, 16);
  CHECK(pare_test::equal(run(codes, written::fc_sparse, 18), run(codes, network.fc_sparse, 18)));
  const auto x7 = pare_test::random_uniform<float>({3, 7}, 17, -1.0, 1.0);
  const pare::vector_view<const float> bias = network.bias.view();
  CHECK(pare_test::equal(run(x7, written::fc_low_rank, 5, written::bias),
                         run(x7, network.low_rank(), 5, bias)));
  const auto x10 = pare_test::random_uniform<float>({3, 10}, 18, -1.0, 1.0);
  const pare::vector_view<const float> none;
  CHECK(pare_test::equal(run(x10, written::fc_pruned, 6, none), run(x10, network.sparse, 6, none)));
}

TEST_CASE("write_c_source: weights of which nothing is left") {
  pare_test::linear_case zeros(5, 8, 1);
  for (index_t i = 0; i < zeros.codes.size(); ++i) zeros.codes.data()[i] = 0;
  const auto layer =
      pare::pack_sparse_linear(zeros.view(), {1, 4}, zeros.bias.view(), zeros.options).value();
  const pare::low_rank_view<float> rank_0{pare::matrix_view<const float>(nullptr, 3, 0),
                                          pare::matrix_view<const float>(nullptr, 0, 4)};
  const std::string text = pare::write_c_source({{"fc", layer.view()}, {"none", rank_0}}).value();
  CHECK(text.find("fc_values") == std::string::npos);
  CHECK(text.find("fc_block_columns") == std::string::npos);
  CHECK(text.find("fc_block_offsets[] = {\n    0u, 0u, 0u, 0u, 0u, 0u,\n}") != std::string::npos);
  CHECK(text.find("l.left = pare::matrix_view<const float>(nullptr, 3, 0);") != std::string::npos);
}

TEST_CASE("write_c_source: floats are exact and have one form") {
  using pare::detail::exact_float;
  CHECK(exact_float(1.0f) == "0x1p0f");
  CHECK(exact_float(-0.0f) == "-0.0f");
  CHECK(exact_float(0.1f) == "0x1.99999ap-4f");
  CHECK(exact_float(-3.0f) == "-0x1.8p1f");
  CHECK(exact_float(0x1p-149f) == "0x0.000002p-126f");
  CHECK(exact_float(0x1.fffffep127f) == "0x1.fffffep127f");
  pare_test::random_source random(1);
  for (int i = 0; i < 10000; ++i) {
    const float x = pare::detail::bit_cast<float>(random.bits());
    if (!pare::detail::is_finite(x)) continue;
    const float back = std::strtof(exact_float(x).c_str(), nullptr);
    CHECK(pare::detail::bit_cast<std::uint32_t>(back) == pare::detail::bit_cast<std::uint32_t>(x));
  }
}

TEST_CASE("write_c_source: other tiles and alignments") {
  const pare_test::small_network network;
  pare::c_source_options o = small_options();
  o.target = pare::isa::avx2;
  o.alignment = 4;
  const std::string text = pare::write_c_source(network.layers(), o).value();
  CHECK(text.find("l.tile_columns = 16;") != std::string::npos);
  CHECK(text.find("l.tile_columns = 4;") == std::string::npos);
  CHECK(text.find("alignas(4) inline constexpr std::int8_t fc_panels[]") != std::string::npos);
}

TEST_CASE("write_c_source: names must be free C++ identifiers") {
  const pare_test::small_network network;
  const auto with_name = [&](const char* name) {
    return std::vector<pare::named_layer>{{"first", network.fc.view()}, {name, network.fc.view()}};
  };
  for (const char* bad : {"", "1st", "a-b", "a b", "int", "co_yield", "_a", "a__b", "f\xc3\xbcr",
                          "a::b", "first", "first_panels", "NULL"}) {
    CAPTURE(bad);
    const pare::error e = error_of(with_name(bad));
    CHECK(e.code == pare::status::invalid_argument);
    CHECK(std::string(e.subject) == "name");
    CHECK(e.kind == pare::position_kind::row);
    CHECK(e.position == 1);
  }
  CHECK(pare::write_c_source(with_name("second_1")));

  pare::c_source_options o;
  for (const char* bad : {"", "a:b", "a::", "::a", "a::int", "pare", "pare::x", "std", "a b"}) {
    CAPTURE(bad);
    o.namespace_name = bad;
    const pare::error e = error_of({}, o);
    CHECK(e.code == pare::status::invalid_argument);
    CHECK(std::string(e.subject) == "namespace_name");
  }
  o.namespace_name = "a::b_c::d";
  CHECK(pare::write_c_source({}, o).value().find("#ifndef A_B_C_D_HPP\n") != std::string::npos);
  o.include_guard = "a guard";
  CHECK(std::string(error_of({}, o).subject) == "include_guard");
}

TEST_CASE("write_c_source: what else is refused") {
  const pare_test::small_network network;
  const std::vector<pare::named_layer> layers{{"fc", network.fc.view()}};
  pare::c_source_options o;
  for (const index_t bad : {index_t{0}, index_t{2}, index_t{48}, index_t{8192}, index_t{-64}}) {
    o.alignment = bad;
    CHECK(error_of(layers, o).code == pare::status::out_of_range);
  }
  o = {};
  o.target = static_cast<pare::isa>(77);
  CHECK(error_of(layers, o).code == pare::status::invalid_argument);
  o = {};
  for (const char* bad : {"a\rb", "ends in \\", "ends in \\\nhere", "\x01"}) {
    o.provenance = bad;
    CHECK(error_of(layers, o).code == pare::status::invalid_argument);
    CHECK(error_of({{"fc", network.fc.view(), bad}}).code == pare::status::invalid_argument);
  }

  pare::packed_linear_view layer;
  layer.out_features = layer.in_features = 3;
  CHECK(error_of({{"fc", layer}}).code == pare::status::invalid_argument);
  CHECK(error_of({{"fc", pare::packed_linear_view{}}}).code == pare::status::empty);
  CHECK(error_of({{"fc", pare::packed_depthwise_view{}}}).code == pare::status::empty);
  CHECK(error_of({{"fc", pare::packed_grouped_linear_view{}}}).code == pare::status::empty);
  CHECK(error_of({{"fc", pare::low_rank_view<float>{}}}).code == pare::status::empty);
  CHECK(error_of({{"fc", pare::vector_view<const float>{}}}).code == pare::status::empty);
  CHECK(error_of({{"fc", pare::packed_sparse_linear_view{}}}).code ==
        pare::status::invalid_argument);
  CHECK(error_of({{"fc", pare::bcsr_view<float>{}}}).code == pare::status::invalid_argument);
  CHECK(error_of({{"fc", pare::vector_view<const float>(nullptr, 3)}}).code ==
        pare::status::invalid_argument);
  layer.out_features = pare::detail::max_index / 4;
  layer.sums = network.fc.view().sums;
  CHECK(error_of({{"fc", layer}}).code == pare::status::overflow);
}

TEST_CASE("write_c_source: a path that cannot be written is an error") {
  CHECK(pare::save_c_source("/nowhere/at/all.hpp", {}) == pare::status::io);
  CHECK(pare::save_c_source("/nowhere/at/all.hpp", {{"1", pare::packed_linear_view{}}}) ==
        pare::status::invalid_argument);
}
