// Images give back the layers that were written, and nothing else: whatever is changed in one is
// refused, or makes a layer that runs without harm.
#include <cstring>
#include <fstream>

#include <pare/format/image.hpp>
#include <pare/io/write_image.hpp>
#include <pare/kernels/bcsr_linear.hpp>
#include <pare/kernels/low_rank_linear.hpp>
#include <pare/kernels/offset_grouped_linear.hpp>

#include "support/isas.hpp"
#include "support/packed_parts.hpp"
#include "support/small_network.hpp"

using pare::index_t;
using pare::position_kind;
using pare::status;

namespace {

using image_memory = pare::tensor<std::byte, 1>;

image_memory copy_of(const image_memory& image) {
  return image_memory::copy_of(image.view()).value();
}

/// Writes a value over bytes of an image.
template <class T>
void put(image_memory& image, index_t at, T value) {
  std::memcpy(image.data() + at, &value, sizeof(value));
}
template <class T>
T get(const image_memory& image, index_t at) {
  T value;
  std::memcpy(&value, image.data() + at, sizeof(value));
  return value;
}

/// Makes the checksum right again, so that the checks behind it are reached.
void sign(image_memory& image) {
  const index_t bytes = std::min<index_t>(get<std::uint32_t>(image, 20), image.size());
  if (bytes < 16) return;
  put(image, 12, pare::detail::crc32(image.data() + 16, bytes - 16));
}

pare::result<pare::image_view> open(const image_memory& image) {
  return pare::open_image(image.data(), image.size());
}

/// The layer as it is packed for another machine.
template <class View>
struct repacked {
  image_memory memory;
  View view;
  repacked(const View& layer, pare::isa target)
      : memory({pare::repacked_size(layer, target).value()}),
        view(pare::repack(layer, target, pare::workspace(memory.data(), memory.size())).value()) {}
};

/// Runs every layer of an image that `open_image` let through, on inputs of its own shape, where
/// that is not too large for a test.
void run_all(const pare::image_view& image) {
  constexpr index_t most = 1 << 14;
  const auto x = pare_test::random_codes<std::int8_t>({most}, 1);
  pare::tensor<float, 1> y({most});
  pare::tensor<std::byte, 1> memory({1 << 18});
  const pare::workspace scratch(memory.data(), memory.size());
  const auto reals = pare_test::random_uniform<float>({most}, 2, -1.0, 1.0);
  const auto run_floats = [&](const auto& layer, index_t in, index_t out, auto... bias) {
    if (in > most || out > most) return;
    static_cast<void>(pare::linear(pare::view(reals.data(), 1, in), layer, bias...,
                                   pare::view(y.data(), 1, out), scratch));
  };
  for (index_t i = 0; i < image.layers(); ++i) {
    if (image.kind(i) == pare::image_kind::linear) {
      const auto l = image.layer<pare::packed_linear_view>(i).value();
      if (l.in_features > most || l.out_features > most) continue;
      static_cast<void>(pare::linear(pare::view(x.data(), 1, l.in_features), l,
                                     pare::view(y.data(), 1, l.out_features)));
      static_cast<void>(
          pare::linear(pare::view(x.data(), 1, l.in_features), l,
                       pare::view(reinterpret_cast<std::int8_t*>(y.data()), 1, l.out_features)));
    } else if (image.kind(i) == pare::image_kind::low_bit_linear) {
      const auto l = image.layer<pare::packed_low_bit_linear_view>(i).value();
      if (l.base.in_features > most || l.base.out_features > most) continue;
      static_cast<void>(pare::linear(pare::view(x.data(), 1, l.base.in_features), l,
                                     pare::view(y.data(), 1, l.base.out_features)));
    } else if (image.kind(i) == pare::image_kind::conv2d) {
      const auto l = image.layer<pare::packed_conv2d_view>(i).value();
      const auto h = pare::output_height(l.window, 6), w = pare::output_width(l.window, 7);
      if (!h || !w || l.in_channels > most / 42 || *h > most || *w > most ||
          l.out_channels > most / (*h * *w)) {
        continue;
      }
      static_cast<void>(pare::conv2d(pare::view(x.data(), 1, 6, 7, l.in_channels), l,
                                     pare::view(y.data(), 1, *h, *w, l.out_channels), scratch));
    } else if (image.kind(i) == pare::image_kind::grouped_linear) {
      const auto l = image.layer<pare::packed_grouped_linear_view>(i).value();
      run_floats(l, l.in_features, l.out_features);
    } else if (image.kind(i) == pare::image_kind::offset_grouped_linear) {
      const auto l = image.layer<pare::packed_offset_grouped_linear_view>(i).value();
      run_floats(l, l.base.in_features, l.base.out_features);
    } else if (image.kind(i) == pare::image_kind::sparse_linear) {
      const auto l = image.layer<pare::packed_sparse_linear_view>(i).value();
      if (l.base.in_features > most || l.base.out_features > most) continue;
      static_cast<void>(pare::linear(pare::view(x.data(), 1, l.base.in_features), l,
                                     pare::view(y.data(), 1, l.base.out_features), scratch));
    } else if (image.kind(i) == pare::image_kind::low_rank) {
      const auto l = image.layer<pare::low_rank_view<float>>(i).value();
      run_floats(l, l.in_features(), l.out_features(), pare::vector_view<const float>());
    } else if (image.kind(i) == pare::image_kind::sparse) {
      const auto l = image.layer<pare::bcsr_view<float>>(i).value();
      run_floats(l, l.columns, l.rows, pare::vector_view<const float>());
    } else if (image.kind(i) == pare::image_kind::vector) {
      static_cast<void>(image.layer<pare::vector_view<const float>>(i).value());
    } else {
      const auto l = image.layer<pare::packed_depthwise_view>(i).value();
      const auto h = pare::output_height(l.window, 6), w = pare::output_width(l.window, 7);
      if (!h || !w || l.in_channels() > most / 42 || *h > most || *w > most ||
          l.out_channels > most / (*h * *w)) {
        continue;
      }
      static_cast<void>(pare::depthwise_conv2d(pare::view(x.data(), 1, 6, 7, l.in_channels()), l,
                                               pare::view(y.data(), 1, *h, *w, l.out_channels)));
    }
  }
}

/// Where record `i` stands, and what is behind the records.
constexpr index_t record(index_t i) { return 64 + 192 * i; }
constexpr index_t payload = record(pare_test::small_network::count);

}  // namespace

TEST_CASE("image: layers come back to the bit, for any target, whatever machine packed them") {
  image_memory first;
  pare_test::for_each_isa([&](pare::isa) {
    const pare_test::small_network network;
    for (const pare::isa target : pare::all_isas) {
      pare::image_options o;
      o.target = target;
      const auto image = pare::write_image(network.layers(), o).value();
      if (target == pare::isa::scalar) {
        if (first.empty()) first = copy_of(image);
        CHECK(pare_test::equal(image, first));
      }
      const auto opened = open(image);
      REQUIRE(opened);
      const auto same = [&](const char* name, const auto& view) {
        using view_type = std::decay_t<decltype(view)>;
        const auto found = opened->layer<view_type>(name);
        REQUIRE(found);
        const repacked expected(view, target);
        CHECK(pare_test::same_layer(*found, expected.view));
        return *found;
      };
      CHECK(opened->layers() == pare_test::small_network::count);
      const auto fc = same("fc", network.fc.view());
      CHECK(reinterpret_cast<std::uintptr_t>(fc.panels) % 64 == 0);
      same("fc_f32", network.fc_f32.view());
      same("fc_s4", network.fc_s4.view());
      same("conv", network.conv.view());
      same("conv_rows", network.conv_rows.view());
      same("conv_grouped", network.conv_grouped.view());
      same("depthwise", network.depthwise.view());
      same("fc_grouped", network.fc_grouped.view());
      same("fc_grouped_s8", network.fc_grouped_s8.view());
      same("fc_shifted", network.fc_offsets.view());
      const auto sparse = same("fc_sparse", network.fc_sparse.view());
      CHECK(reinterpret_cast<std::uintptr_t>(sparse.weights.values) % 64 == 0);
      same("fc_low_rank", network.low_rank());
      same("fc_pruned", network.sparse);
      same("bias", pare::vector_view<const float>(network.bias.view()));
    }
  });
}

TEST_CASE("image: layers are found by name and kind") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  const auto opened = open(image).value();
  CHECK(opened.find("conv") == 3);
  CHECK(opened.find("con") == -1);
  CHECK(std::string(opened.name(6)) == "depthwise");
  CHECK(opened.kind(6) == pare::image_kind::depthwise_conv2d);
  CHECK(opened.layer<pare::packed_linear_view>("nothing").status() == status::out_of_range);
  CHECK(opened.layer<pare::packed_linear_view>(14).status() == status::out_of_range);
  CHECK(opened.layer<pare::packed_linear_view>("conv").status() == status::unsupported);
  CHECK(pare::image_view().find("conv") == -1);
  const auto none = pare::write_image({}).value();
  CHECK(open(none).value().layers() == 0);
  CHECK(none.size() == 64);
}

TEST_CASE("image: the checksum is CRC-32") {
  const char text[] = "123456789";
  CHECK(pare::detail::crc32(reinterpret_cast<const std::byte*>(text), 9) == 0xcbf43926u);
  CHECK(pare::detail::crc32(nullptr, 0) == 0);
}

TEST_CASE("image: every flipped bit is noticed") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  auto changed = copy_of(image);
  for (index_t bit = 0; bit < image.size() * 8; ++bit) {
    // A third of the records, and a part of the weights.
    if (bit >= record(0) * 8 && bit % (bit < payload * 8 ? 3 : 61) != 0) continue;
    changed(bit / 8) ^= std::byte(1 << (bit % 8));
    const auto opened = open(changed);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().kind == position_kind::byte);
    changed(bit / 8) = image(bit / 8);
  }
}

TEST_CASE("image: every truncation is noticed, and bytes behind the image are not") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  for (index_t size = 0; size < image.size(); ++size) {
    const auto opened = pare::open_image(image.data(), size);
    REQUIRE(opened.status() == status::truncated);
    CHECK(opened.error().position == size);
  }
  CHECK(pare::open_image(image.data(), -1).status() == status::truncated);
  image_memory longer({image.size() + 100});
  for (std::byte& b : longer) b = std::byte{0xff};
  std::memcpy(longer.data(), image.data(), static_cast<std::size_t>(image.size()));
  CHECK(open(longer));
  std::memmove(longer.data() + 4, image.data(), static_cast<std::size_t>(image.size()));
  CHECK(pare::open_image(longer.data() + 4, image.size()).status() == status::invalid_argument);
}

TEST_CASE("image: lies behind a right checksum are refused where they stand") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  // Offsets of fields in a record, in the order of detail::image_record.
  constexpr index_t kind = 40, offset = 44, bytes = 48, out = 52, in = 56, tile = 60, k_group = 64,
                    minus_128 = 68, act = 72, rule = 76, input_scale = 80, output_scale = 84,
                    input_zero = 88, output_zero = 92, bits = 96, zero_points = 100,
                    out_channels = 104, in_channels = 108, groups = 112, taps = 116, variants = 120,
                    window = 124;
  constexpr index_t fc = record(0), s4 = record(2), conv = record(3), grouped = record(5),
                    depthwise = record(6);
  const auto is_refused = [&](index_t at, auto value, index_t where,
                              pare::status_code code = status::bad_format) {
    auto changed = copy_of(image);
    put(changed, at, value);
    sign(changed);
    const auto opened = open(changed);
    CAPTURE(at);
    CAPTURE(value);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == code);
    CHECK(opened.error().position == where);
  };
  const auto is_refused_here = [&](index_t at, auto value) { is_refused(at, value, at); };
  using i32 = std::int32_t;
  using u32 = std::uint32_t;
  // The header.
  is_refused(0, 'q', 0);
  is_refused(8, u32{0x04030201}, 8, status::unsupported);
  is_refused(8, u32{7}, 8);
  is_refused(16, u32{2}, 16, status::unsupported);
  is_refused_here(20, u32{63});
  is_refused_here(20, u32{0});
  is_refused(20, u32{0xffffffc0}, image.size(), status::truncated);
  is_refused_here(24, u32{0xffffffff});
  is_refused_here(24, static_cast<u32>((image.size() - 64) / 192 + 1));
  is_refused_here(28, u32{1});
  // The name and the kind.
  is_refused(fc, '\0', fc + 1);
  is_refused_here(fc + 1, ' ');
  is_refused_here(fc + 5, 'x');
  is_refused_here(fc + kind, u32{0});
  is_refused_here(fc + kind, u32{11});
  // The linear part.
  for (const i32 n : {-1, 9, 100000, INT32_MAX, INT32_MIN}) {
    const index_t where = n < 0 ? fc + out : fc + bytes;
    // 9 outputs take the memory of 10.
    if (n != 9) is_refused(fc + out, n, where);
    is_refused(fc + in, n, n < 0 ? fc + in : fc + bytes);
  }
  for (const i32 n : {0, -4, 5, 8, 128, INT32_MAX}) is_refused_here(fc + tile, n);
  for (const i32 n : {0, 3, 16, -8}) is_refused_here(fc + k_group, n);
  is_refused_here(s4 + k_group, i32{8});
  is_refused_here(depthwise + k_group, i32{8});
  is_refused_here(fc + minus_128, i32{2});
  is_refused_here(fc + act, u32{3});
  is_refused_here(fc + rule, u32{4});
  for (const float scale : {-1.0f, 1e-45f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    is_refused_here(fc + input_scale, scale);
    is_refused_here(fc + output_scale, scale);
  }
  is_refused_here(record(1) + output_scale, 1.0f);
  for (const i32 n : {-129, 256}) {
    is_refused_here(fc + input_zero, n);
    is_refused_here(fc + output_zero, n);
  }
  // The others.
  is_refused_here(s4 + bits, i32{8});
  is_refused_here(s4 + zero_points, i32{2});
  is_refused_here(conv + out_channels, i32{7});
  is_refused(conv + in_channels, i32{8}, conv + in);
  is_refused_here(conv + in_channels, i32{-4});
  is_refused_here(conv + groups, i32{0});
  is_refused_here(conv + taps, u32{1});
  is_refused_here(conv + taps, u32{9});
  is_refused(conv + window, i32{0}, conv + window);
  is_refused(conv + window, i32{4097}, conv + window);
  is_refused(conv + window, i32{2}, conv + in);
  is_refused(conv + window + 8, i32{0}, conv + window);
  is_refused(conv + window + 36, i32{-1}, conv + window);
  is_refused(grouped + groups, i32{1}, grouped + out_channels);
  is_refused_here(depthwise + out_channels, i32{8});
  is_refused_here(depthwise + in, i32{1});
  is_refused_here(depthwise + groups, i32{2});
  is_refused_here(depthwise + groups, i32{-1});
  is_refused_here(depthwise + variants, i32{0});
  is_refused_here(depthwise + variants, i32{3});
  is_refused(depthwise + window, i32{5}, depthwise + bytes);
  // Grouped, sparse and float weights.
  constexpr index_t group = 164, arithmetic = 168, block_rows = 172, block_columns = 176,
                    k_block = 180, blocks = 184, reserved = 188;
  constexpr index_t grouped_fc = record(7), sparse = record(9), low_rank = record(10),
                    pruned = record(11), bias = record(12);
  for (const i32 n : {0, 48, 7, -4}) is_refused_here(grouped_fc + tile, n);
  is_refused_here(grouped_fc + bits, i32{2});
  is_refused(grouped_fc + bits, i32{8}, grouped_fc + bytes);
  is_refused_here(grouped_fc + zero_points, i32{-1});
  is_refused_here(grouped_fc + act, u32{9});
  is_refused_here(grouped_fc + arithmetic, u32{2});
  for (const i32 n : {0, 31, -32, 256}) is_refused_here(grouped_fc + group, n);
  is_refused(grouped_fc + group, i32{128}, grouped_fc + bytes);
  is_refused_here(sparse + tile, i32{4});
  is_refused(sparse + block_rows, i32{0}, sparse + block_rows);
  is_refused(sparse + block_rows, i32{65}, sparse + block_rows);
  is_refused(sparse + block_rows, i32{8}, sparse + block_rows);
  is_refused(sparse + block_columns, i32{2}, sparse + block_rows);
  is_refused_here(sparse + k_block, i32{0});
  is_refused(sparse + k_block, i32{-4}, sparse + block_rows);
  is_refused(sparse + k_block, i32{6}, sparse + block_rows);
  for (const u32 n : {u32{12}, u32{0x80000000}, u32{0xffffffff}}) {
    is_refused(sparse + blocks, n, sparse + bytes);
    is_refused(pruned + blocks, n, pruned + bytes);
  }
  is_refused_here(low_rank + group, i32{-1});
  for (const index_t at : {low_rank + out, low_rank + in, pruned + out, pruned + in, bias + out}) {
    is_refused_here(at, i32{-1});
    is_refused(at, INT32_MAX, at - (at - 64) % 192 + bytes);
  }
  is_refused(low_rank + group, INT32_MAX, low_rank + bytes);
  // Fields that a kind does not have.
  for (index_t i = 0; i < pare_test::small_network::count; ++i) {
    is_refused_here(record(i) + reserved, u32{1});
    if (i < 7) is_refused_here(record(i) + blocks, u32{1});
  }
  is_refused_here(fc + bits, i32{8});
  is_refused_here(fc + window, i32{1});
  is_refused_here(grouped_fc + input_scale, 1.0f);
  is_refused_here(bias + in, i32{1});
  is_refused_here(pruned + act, u32{1});
  // Places in memory.
  const u32 end = static_cast<u32>(image.size());
  for (const u32 at : {u32{0}, u32{64}, u32{1}, end, end - 64, u32{0xffffffc0}, u32{0x80000000}}) {
    is_refused_here(fc + offset, at);
  }
  is_refused_here(fc + bytes, u32{0});
  is_refused_here(fc + bytes, u32{0xffffffff});
  // Numbers that kernels rely on.
  const auto opened = open(image).value();
  const auto at_of = [&](const void* array) {
    return static_cast<const std::byte*>(array) - image.data();
  };
  const auto linear = opened.layer<pare::packed_linear_view>("fc").value();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float* array : {linear.scales, linear.bias, linear.factors}) {
    is_refused(at_of(array + 3), nan, at_of(array + 3), status::non_finite);
  }
  const auto few = opened.layer<pare::packed_grouped_linear_view>("fc_grouped").value();
  is_refused(at_of(few.sums), nan, at_of(few.sums), status::non_finite);
  is_refused(at_of(few.bias + 1), nan, at_of(few.bias + 1), status::non_finite);
  for (const int g : {0, 1, 3}) {
    // The second scale of a group, behind its codes and those of the groups before.
    const std::uint8_t* scale = few.panels + g * few.group_bytes() * few.tile_columns + 64 + 2;
    is_refused(at_of(scale), std::uint16_t{0xfc00}, at_of(scale), status::non_finite);
    is_refused(at_of(scale), std::uint16_t{0x7c01}, at_of(scale), status::non_finite);
  }
  const auto shifted = opened.layer<pare::packed_offset_grouped_linear_view>("fc_shifted").value();
  is_refused(at_of(shifted.offsets + 15), nan, at_of(shifted.offsets + 15), status::non_finite);
  const auto weights = opened.layer<pare::packed_sparse_linear_view>("fc_sparse").value();
  is_refused(at_of(weights.base.factors), nan, at_of(weights.base.factors), status::non_finite);
  const std::uint32_t* offsets = weights.weights.block_offsets;
  is_refused(at_of(offsets), u32{1}, at_of(offsets));
  is_refused(at_of(offsets + 4), u32{2}, at_of(offsets + 3), status::out_of_range);
  is_refused(at_of(offsets + 4), u32{16}, at_of(offsets + 3), status::out_of_range);
  is_refused(at_of(offsets + 15), u32{14}, sparse + blocks);
  // Lines have one block each, in K-blocks of two, the last K-block of two with a tail.
  is_refused(at_of(weights.weights.block_columns + 5), std::uint16_t{2}, at_of(offsets + 5),
             status::out_of_range);
  const auto factors = opened.layer<pare::low_rank_view<float>>("fc_low_rank").value();
  for (const float* at : {&factors.left(4, 1), &factors.right(1, 6)}) {
    is_refused(at_of(at), nan, at_of(at), status::non_finite);
  }
  const auto floats = opened.layer<pare::bcsr_view<float>>("fc_pruned").value();
  is_refused(at_of(floats.values + 3), nan, at_of(floats.values + 3), status::non_finite);
  is_refused(at_of(floats.block_columns), std::uint16_t{10}, at_of(floats.block_offsets),
             status::out_of_range);
  const float* last =
      opened.layer<pare::vector_view<const float>>("bias").value().data_handle() + 4;
  is_refused(at_of(last), nan, at_of(last), status::non_finite);
  const auto fixed = opened.layer<pare::packed_low_bit_linear_view>("fc_s4").value();
  for (const i32 n : {31, -32, INT32_MIN}) {
    is_refused(at_of(fixed.base.shifts), n, at_of(fixed.base.shifts), status::out_of_range);
  }
  is_refused(at_of(fixed.base.multipliers + 1), i32{-1}, at_of(fixed.base.multipliers + 1),
             status::out_of_range);
}

TEST_CASE("image: no layer's memory ends beyond the image, be it by one line") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  constexpr index_t offset = 44, bytes = 48;
  for (index_t i = 0; i < pare_test::small_network::count; ++i) {
    CAPTURE(i);
    const index_t size = pare::detail::round_up(get<std::uint32_t>(image, record(i) + bytes), 64);
    auto changed = copy_of(image);
    put(changed, record(i) + offset, static_cast<std::uint32_t>(image.size() - size));
    sign(changed);
    // There the layer fits, whatever numbers it finds.
    if (const auto opened = open(changed); !opened) CHECK(opened.error().position >= payload);
    for (const index_t beyond : {64, 128, 192}) {
      if (beyond >= size) break;
      put(changed, record(i) + offset, static_cast<std::uint32_t>(image.size() - size + beyond));
      sign(changed);
      const auto opened = open(changed);
      REQUIRE_FALSE(opened);
      CHECK(opened.error().code == status::bad_format);
      CHECK(opened.error().position == record(i) + offset);
    }
  }
  // The same from the other side: an image that says it is a line shorter.
  auto shorter = copy_of(image);
  put(shorter, 20, static_cast<std::uint32_t>(image.size() - 64));
  sign(shorter);
  REQUIRE_FALSE(open(shorter));
  CHECK(open(shorter).error().position == record(13) + offset);
}

TEST_CASE("image: random damage behind a right checksum is refused or does no harm") {
  const auto image = pare::write_image(pare_test::small_network().layers()).value();
  pare_test::random_source random(2);
  int accepted = 0;
  for (int i = 0; i < 6000; ++i) {
    auto changed = copy_of(image);
    const auto changes = random.integer(1, 3);
    for (int j = 0; j < changes; ++j) {
      // Mostly the records: a word of any kind, a small one, or a bit.
      const index_t at = random.index(0, random.index(0, 3) > 0 ? payload - 4 : image.size() - 4);
      const index_t word = at / 4 * 4;
      switch (random.integer(0, 3)) {
        case 0: put(changed, word, random.bits()); break;
        case 1: put(changed, word, static_cast<std::uint32_t>(random.integer(-3, 70))); break;
        case 2:
          put(changed, word, get<std::uint32_t>(changed, word) + random.bits() % 9 - 4);
          break;
        default: changed(at) ^= std::byte(1 << random.integer(0, 7));
      }
    }
    sign(changed);
    if (const auto opened = open(changed)) {
      ++accepted;
      run_all(*opened);
    } else {
      CHECK(opened.error().kind == position_kind::byte);
    }
  }
  CHECK(accepted > 100);
  CHECK(accepted < 5000);
}

TEST_CASE("write_image: what is refused") {
  const pare_test::small_network network;
  const auto error_of = [](const std::vector<pare::named_layer>& layers,
                           pare::image_options o = {}) {
    const auto image = pare::write_image(layers, o);
    REQUIRE_FALSE(image);
    return image.error();
  };
  for (const char* bad :
       {"", "a b", "n\xc3\xa4me", "first", "0123456789012345678901234567890123456789"}) {
    CAPTURE(bad);
    const auto e = error_of({{"first", network.fc.view()}, {bad, network.fc.view()}});
    CHECK(e.code == status::invalid_argument);
    CHECK(e.position == 1);
  }
  CHECK(pare::write_image({{"012345678901234567890123456789012345678", network.fc.view()}}));
  pare::packed_linear_view layer;
  layer.out_features = layer.in_features = 3;
  CHECK(error_of({{"fc", layer}}).code == status::invalid_argument);
  layer.sums = network.fc.view().sums;
  layer.in_features = pare::detail::max_index / 4;
  CHECK(error_of({{"fc", layer}}).code == status::overflow);
  CHECK(error_of({{"fc", pare::packed_sparse_linear_view{}}}).code == status::invalid_argument);
  CHECK(error_of({{"fc", pare::vector_view<const float>(nullptr, 3)}}).code ==
        status::invalid_argument);
  pare::bcsr_view<float> contradiction = network.sparse;
  contradiction.columns = 9;  // its last block column is 9
  CHECK(pare::write_image({{"fc", contradiction}}).error().code == status::out_of_range);
  pare::image_options o;
  o.target = static_cast<pare::isa>(99);
  CHECK(error_of({}, o).code == status::invalid_argument);
  CHECK(pare::save_image("/nowhere/at/all.img", {}) == status::io);
}
