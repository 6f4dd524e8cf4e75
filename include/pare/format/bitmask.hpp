// A bit for each weight, and the values of those that are stored: any mask, N:M among them, with
// values of 8 or 4 bits.
//
// The matrix is cut into tiles of 16 rows, and a tile into chunks of 16 rows by 4 columns, in the
// order of a panel of a dense layer (format/packed_linear.hpp): bit 4 * row + column of a chunk's
// mask stands for the weight there, and a chunk that is expanded is one register of a dense kernel.
// A tile holds runs of 16 chunks, the last one of what is left: the masks of a run, then its values
// one behind the other, filled up to 8 bytes, so that one row of activations reads weights from
// memory as one stream. Where the number of columns is 5 or more and no multiple of four, the last
// chunk ends with the last column, as the last group of a panel does.
//
// N:M is stored the same way: a mask of M bits says where the N are, for 2:4 in as many bits as two
// positions would take. With M = 1, 2 or 4 rows of a chunk that keep fewer are filled up with
// zeros: all chunks have the same number of values, and none must be counted.
#ifndef PARE_FORMAT_BITMASK_HPP
#define PARE_FORMAT_BITMASK_HPP

#include <pare/format/bcsr.hpp>
#include <pare/format/low_bit.hpp>
#include <pare/format/n_m.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare {

/// What a matrix with a bitmask holds.
struct bitmask_kind {
  std::int32_t value_bits = 8;  ///< 8, or 4 for codes in [-8, 7]
  /// With `of` at most 16: every row must keep it. {0, 0}: any mask.
  n_m pattern{0, 0};
};

namespace detail {

inline constexpr index_t bitmask_tile_rows = 16, bitmask_chunk = 64, chunks_of_run = 16;

/// Kernels read whole registers of values: so many bytes behind the last one exist.
inline constexpr index_t bitmask_padding = 64;

/// Values of every chunk, or 0 where the masks tell.
constexpr PARE_ALWAYS_INLINE index_t values_of_each_chunk(const bitmask_kind& kind) noexcept {
  const n_m& p = kind.pattern;
  return p.of == 1 || p.of == 2 || p.of == 4 ? bitmask_chunk / p.of * p.keep : 0;
}

constexpr PARE_ALWAYS_INLINE index_t count_bits(std::uint64_t x) noexcept {
  x -= (x >> 1) & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<index_t>((x * 0x0101010101010101u) >> 56);
}

/// Bytes of a chunk's values: those of 4 bits begin with a byte of their own.
constexpr PARE_ALWAYS_INLINE index_t value_bytes(index_t values, std::int32_t value_bits) noexcept {
  return value_bits == 8 ? values : (values + 1) / 2;
}

/// Bytes of a run.
///
/// @param bytes  of its values
constexpr PARE_ALWAYS_INLINE index_t run_bytes(index_t chunks, index_t bytes) noexcept {
  return 8 * chunks + round_up(bytes, 8);
}

/// Value number `i` of a chunk.
constexpr PARE_ALWAYS_INLINE std::int32_t value_at(const std::uint8_t* values, index_t i,
                                                   std::int32_t value_bits) noexcept {
  if (value_bits == 8) return static_cast<std::int8_t>(values[i]);
  return unpack_field(values[i / 2], 4, i % 2);
}

}  // namespace detail

/// An int8 or int4 matrix [rows, columns] with a bitmask, that lives elsewhere. Trivial, and may
/// stand in flash.
struct bitmask_view {
  index_t rows = 0;
  index_t columns = 0;
  bitmask_kind kind{};
  /// u32 [tiles + 1]: where each tile begins, in units of 64 bytes from here, and where the last one
  /// ends; then the tiles; 64-byte aligned
  const std::byte* data = nullptr;

  constexpr PARE_ALWAYS_INLINE index_t tiles() const noexcept {
    return detail::ceil_div(rows, detail::bitmask_tile_rows);
  }
  /// Chunks of a tile.
  constexpr PARE_ALWAYS_INLINE index_t chunks() const noexcept {
    return detail::ceil_div(columns, 4);
  }
  PARE_ALWAYS_INLINE const std::uint32_t* tile_offsets() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(data);
  }
  /// The first run of a tile.
  PARE_ALWAYS_INLINE const std::byte* tile(index_t number) const noexcept {
    return data + static_cast<index_t>(tile_offsets()[number]) * 64;
  }
  /// Bytes of masks, values and offsets, padding included.
  PARE_ALWAYS_INLINE index_t bytes() const noexcept {
    if (data == nullptr) return 0;
    return static_cast<index_t>(tile_offsets()[tiles()]) * 64 + detail::bitmask_padding;
  }
};

namespace detail {

/// Fills up the rows of a chunk's mask that keep fewer than the pattern says. The weights there are
/// zero, or do not exist: either way a value of zero stands for them.
constexpr PARE_ALWAYS_INLINE std::uint64_t fill_mask(std::uint64_t mask,
                                                     const bitmask_kind& kind) noexcept {
  const index_t of_row = values_of_each_chunk(kind) / bitmask_tile_rows;
  for (index_t first = 0; of_row != 0 && first < bitmask_chunk; first += 4) {
    index_t missing = of_row - count_bits((mask >> first) & 15);
    for (std::uint64_t bit = std::uint64_t{1} << first; missing > 0; bit <<= 1) {
      if ((mask & bit) == 0) mask |= bit, --missing;
    }
  }
  return mask;
}

/// The masks of a run, its values behind them, and how many chunks it has.
struct bitmask_run {
  const std::uint64_t* masks;
  const std::uint8_t* values;
  index_t chunks;
};
/// @param left  chunks of the tile from this run on
PARE_ALWAYS_INLINE bitmask_run run_at(const std::byte* at, index_t left) noexcept {
  const index_t chunks = min(chunks_of_run, left);
  return {reinterpret_cast<const std::uint64_t*>(at),
          reinterpret_cast<const std::uint8_t*>(at) + 8 * chunks, chunks};
}

/// Row and column of a bit; the column is -1 where no weight stands there.
struct bitmask_place {
  index_t row, column;
};
constexpr PARE_ALWAYS_INLINE bitmask_place place_of_bit(index_t rows, index_t columns, index_t tile,
                                                        index_t chunk, index_t bit) noexcept {
  const index_t row = tile * bitmask_tile_rows + bit / 4;
  return {row, row < rows ? packed_input(columns, 4 * chunk + bit % 4) : -1};
}

inline namespace PARE_ABI {

constexpr status check_bitmask_kind(const bitmask_kind& kind) noexcept {
  if (kind.value_bits != 8 && kind.value_bits != 4) {
    return {status_code::out_of_range, "values have 8 or 4 bits", "value_bits"};
  }
  if (kind.pattern.of == 0 && kind.pattern.keep == 0) return {};
  PARE_RETURN_IF_ERROR(check_pattern(kind.pattern));
  if (kind.pattern.of > 16) {
    return {status_code::out_of_range, "M of N:M is at most 16", "pattern"};
  }
  return {};
}

/// Whether all rows keep a pattern.
template <class W, class M>
constexpr status check_rows_keep(const W& dense, const M& mask, const n_m& pattern) noexcept {
  if (pattern.of == 0) return {};
  for (index_t r = 0; r < dense.extent(0); ++r) {
    for (index_t c = 0, kept = 0; c < dense.extent(1); ++c) {
      if (c % pattern.of == 0) kept = 0;
      kept += is_stored(dense, mask, r, c) ? 1 : 0;
      if (kept > pattern.keep) {
        return {status_code::out_of_range, "a row keeps more than N of M", "dense",
                position_kind::row, r};
      }
    }
  }
  return {};
}

/// Whether what is stored fits the bits of a value.
template <class W, class M>
constexpr status check_values_fit(const W& dense, const M& mask, std::int32_t value_bits) noexcept {
  if (value_bits == 8) return {};
  for (index_t r = 0; r < dense.extent(0); ++r) {
    for (index_t c = 0; c < dense.extent(1); ++c) {
      if (is_stored(dense, mask, r, c) && !is_low_bit_code(low_bit::s4, dense(r, c))) {
        return {status_code::out_of_range, "values of 4 bits lie in [-8, 7]", "dense",
                position_kind::element, r * dense.extent(1) + c};
      }
    }
  }
  return {};
}

template <class W, class M>
constexpr std::uint64_t mask_of_chunk(const W& dense, const M& mask, const bitmask_kind& kind,
                                      index_t tile, index_t chunk) noexcept {
  std::uint64_t bits = 0;
  for (index_t bit = 0; bit < bitmask_chunk; ++bit) {
    const bitmask_place at = place_of_bit(dense.extent(0), dense.extent(1), tile, chunk, bit);
    if (at.column >= 0 && is_stored(dense, mask, at.row, at.column))
      bits |= std::uint64_t{1} << bit;
  }
  return fill_mask(bits, kind);
}

/// The bytes of all offsets, rounded up, and of the whole; or what is wrong.
template <class W, class M>
constexpr status plan_bitmask(const W& dense, const M& mask, const bitmask_kind& kind,
                              index_t& bytes) noexcept {
  static_assert(W::rank() == 2 && M::rank() == 2,
                "pare: a matrix and its mask are [rows, columns]");
  static_assert(std::is_same_v<typename W::value_type, std::int8_t>,
                "pare: a bitmask goes with int8 codes");
  PARE_RETURN_IF_ERROR(check_bitmask_kind(kind));
  const index_t rows = dense.extent(0), columns = dense.extent(1);
  if (mask.data_handle() != nullptr && (mask.extent(0) != rows || mask.extent(1) != columns)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  PARE_RETURN_IF_ERROR(check_rows_keep(dense, mask, kind.pattern));
  PARE_RETURN_IF_ERROR(check_values_fit(dense, mask, kind.value_bits));
  constexpr index_t most = max_index / 256;
  const index_t tiles = ceil_div(rows, bitmask_tile_rows), chunks = ceil_div(columns, 4);
  index_t largest = 0;
  const bool fits = rows <= most && columns <= most &&
                    checked_multiply(tiles, chunks * (8 + bitmask_chunk) + 128, largest);
  bytes = round_up((tiles + 1) * 4, 64);
  for (index_t tile = 0; fits && tile < tiles; ++tile) {
    index_t tile_bytes = 0;
    for (index_t first = 0; first < chunks; first += chunks_of_run) {
      const index_t count = min(chunks_of_run, chunks - first);
      index_t values = 0;
      for (index_t c = first; c < first + count; ++c) {
        values +=
            value_bytes(count_bits(mask_of_chunk(dense, mask, kind, tile, c)), kind.value_bits);
      }
      tile_bytes += run_bytes(count, values);
    }
    bytes += round_up(tile_bytes, 64);
  }
  if (!fits || static_cast<std::uint64_t>(bytes / 64) > 0xffffffffu) {
    return {status_code::overflow, "a matrix with a bitmask has less than 2^38 bytes", "dense"};
  }
  bytes += bitmask_padding;
  return {};
}

/// The values of a chunk, one behind the other, in memory that is zero.
///
/// @return their bytes
template <class W, class M>
index_t fill_values(const W& dense, const M& mask, const bitmask_kind& kind, index_t tile,
                    index_t chunk, std::uint64_t bits, std::uint8_t* values) noexcept {
  index_t i = 0;
  for (index_t bit = 0; bit < bitmask_chunk; ++bit) {
    if (((bits >> bit) & 1) == 0) continue;
    const bitmask_place at = place_of_bit(dense.extent(0), dense.extent(1), tile, chunk, bit);
    const bool is_there = at.column >= 0 && is_stored(dense, mask, at.row, at.column);
    const std::int32_t value = is_there ? dense(at.row, at.column) : 0;
    if (kind.value_bits == 8) {
      values[i] = static_cast<std::uint8_t>(value);
    } else {
      values[i / 2] = static_cast<std::uint8_t>(values[i / 2] | pack_field(value, 4, i % 2));
    }
    ++i;
  }
  return value_bytes(i, kind.value_bits);
}

/// Fills memory as long as `plan_bitmask` says.
template <class W, class M>
bitmask_view fill_bitmask(const W& dense, const M& mask, const bitmask_kind& kind, index_t bytes,
                          std::byte* base) noexcept {
  const bitmask_view m{dense.extent(0), dense.extent(1), kind, base};
  for (index_t i = 0; i < bytes; ++i) base[i] = std::byte{0};
  auto* offsets = reinterpret_cast<std::uint32_t*>(base);
  index_t at = round_up((m.tiles() + 1) * 4, 64);
  for (index_t tile = 0; tile < m.tiles(); ++tile) {
    offsets[tile] = static_cast<std::uint32_t>(at / 64);
    for (index_t first = 0; first < m.chunks(); first += chunks_of_run) {
      const index_t count = min(chunks_of_run, m.chunks() - first);
      auto* masks = reinterpret_cast<std::uint64_t*>(base + at);
      auto* values = reinterpret_cast<std::uint8_t*>(masks + count);
      index_t length = 0;
      for (index_t c = 0; c < count; ++c) {
        masks[c] = mask_of_chunk(dense, mask, kind, tile, first + c);
        length += fill_values(dense, mask, kind, tile, first + c, masks[c], values + length);
      }
      at += run_bytes(count, length);
    }
    at = round_up(at, 64);
  }
  offsets[m.tiles()] = static_cast<std::uint32_t>(at / 64);
  return m;
}

/// visit(row, column, value) for all that is stored, tile by tile; also for zeros that fill up a
/// pattern.
template <class Visit>
void for_each_stored(const bitmask_view& m, const Visit& visit) noexcept {
  for (index_t tile = 0; tile < m.tiles(); ++tile) {
    const std::byte* at = m.tile(tile);
    for (index_t first = 0; first < m.chunks(); first += chunks_of_run) {
      const bitmask_run run = run_at(at, m.chunks() - first);
      index_t length = 0;
      for (index_t c = 0; c < run.chunks; ++c) {
        index_t i = 0;
        for (index_t bit = 0; bit < bitmask_chunk; ++bit) {
          if (((run.masks[c] >> bit) & 1) == 0) continue;
          const bitmask_place place = place_of_bit(m.rows, m.columns, tile, first + c, bit);
          const std::int32_t value = value_at(run.values + length, i++, m.kind.value_bits);
          if (place.column >= 0) visit(place.row, place.column, static_cast<std::int8_t>(value));
        }
        length += value_bytes(i, m.kind.value_bits);
      }
      at += run_bytes(run.chunks, length);
    }
  }
}

template <class T, class E, class L>
constexpr status check_bitmask_shape(const bitmask_view& m, const tensor_view<T, E, L>& dense,
                                     const char* subject) noexcept {
  if (dense.extent(0) != m.rows || dense.extent(1) != m.columns) {
    return {status_code::shape_mismatch, "the dense form has the shape of the sparse one", subject};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `make_bitmask` needs, exact for 64-byte aligned memory.
///
/// @param dense  int8 [rows, columns], any layout
/// @param kind   of values and mask
/// @param mask   uint8, as `dense`: not 0 where a weight is stored; without data, weights that are
///               not 0 are
/// @return `out_of_range` (bits, M, a row that keeps more than N of M, or a value beyond 4 bits),
///         `invalid_argument` (pattern), `shape_mismatch` (mask), `overflow`
template <class T, class E, class L, class Mask = no_mask>
[[nodiscard]] result<index_t> bitmask_size(const tensor_view<T, E, L>& dense,
                                           const bitmask_kind& kind = {},
                                           const Mask& mask = {}) noexcept {
  index_t bytes = 0;
  PARE_RETURN_IF_ERROR(detail::plan_bitmask(dense, mask, kind, bytes));
  return bytes;
}

/// The form with a bitmask, in memory that the caller gives.
///
/// @param dense, kind, mask  as for `bitmask_size`
/// @param memory             `bitmask_size` bytes, 64-byte aligned; must outlive the result
/// @return as `bitmask_size`, or `workspace_too_small` with the bytes needed; `memory` is then
///         untouched
template <class T, class E, class L, class Mask = no_mask>
[[nodiscard]] result<bitmask_view> make_bitmask(const tensor_view<T, E, L>& dense,
                                                const bitmask_kind& kind, workspace memory,
                                                const Mask& mask = {}) noexcept {
  index_t bytes = 0;
  PARE_RETURN_IF_ERROR(detail::plan_bitmask(dense, mask, kind, bytes));
  std::byte* base = memory.take<std::byte>(bytes);
  if (base == nullptr) {
    return {status_code::workspace_too_small,
            "the memory for the matrix is shorter than bitmask_size says", "memory",
            position_kind::byte, bytes};
  }
  return detail::fill_bitmask(dense, mask, kind, bytes, base);
}

/// The dense form again: zeros where nothing is stored.
///
/// @param m      trusted: see `validate`
/// @param dense  int8 [rows, columns], any layout
/// @return `shape_mismatch`; `dense` is then untouched
template <class E, class L>
[[nodiscard]] status to_dense(const bitmask_view& m,
                              const tensor_view<std::int8_t, E, L>& dense) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_bitmask_shape(m, dense, "dense"));
  for (index_t r = 0; r < m.rows; ++r) {
    for (index_t c = 0; c < m.columns; ++c) dense(r, c) = 0;
  }
  detail::for_each_stored(
      m, [&](index_t row, index_t column, std::int8_t value) { dense(row, column) = value; });
  return {};
}

/// The mask again: 1 where a weight is stored, zeros that fill up a pattern included.
///
/// @param m     trusted: see `validate`
/// @param mask  uint8 [rows, columns], any layout
/// @return `shape_mismatch`; `mask` is then untouched
template <class E, class L>
[[nodiscard]] status to_mask(const bitmask_view& m,
                             const tensor_view<std::uint8_t, E, L>& mask) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_bitmask_shape(m, mask, "mask"));
  for (index_t r = 0; r < m.rows; ++r) {
    for (index_t c = 0; c < m.columns; ++c) mask(r, c) = 0;
  }
  detail::for_each_stored(m,
                          [&](index_t row, index_t column, std::int8_t) { mask(row, column) = 1; });
  return {};
}

/// Checks a matrix from an untrusted source, so that no kernel reads beyond its memory.
///
/// @param bytes  that `data` really has, 64-byte aligned
/// @return `out_of_range` (kind, sizes), `truncated` with the bytes that were there, `bad_format`
///         at the first byte of a tile that does not begin where the one before ends, or whose
///         values are not as many as its masks and the pattern say
[[nodiscard]] inline status validate(const bitmask_view& m, index_t bytes) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_bitmask_kind(m.kind));
  if (m.rows < 0 || m.columns < 0 || bytes < 0 || m.rows > detail::max_index / 256 ||
      m.columns > detail::max_index / 256) {
    return {status_code::out_of_range, "sizes are not negative and fit the index type", "bitmask"};
  }
  const auto ends_early = [bytes] {
    return status(status_code::truncated, "the memory of the matrix ends too early", "data",
                  position_kind::byte, bytes);
  };
  if (m.data == nullptr || bytes / 4 < m.tiles() + 1) return ends_early();
  index_t at = detail::round_up((m.tiles() + 1) * 4, 64);
  for (index_t tile = 0; tile < m.tiles(); ++tile) {
    const status wrong(status_code::bad_format, "a tile is not as long as its masks say", "data",
                       position_kind::byte, at);
    if (static_cast<index_t>(m.tile_offsets()[tile]) * 64 != at) return wrong;
    for (index_t first = 0; first < m.chunks(); first += detail::chunks_of_run) {
      const detail::bitmask_run run = detail::run_at(m.data + at, m.chunks() - first);
      if ((bytes - at) / 8 < run.chunks) return ends_early();
      index_t values = 0;
      for (index_t c = 0; c < run.chunks; ++c) {
        const index_t count = detail::count_bits(run.masks[c]);
        const index_t fixed = detail::values_of_each_chunk(m.kind);
        if (fixed != 0 && count != fixed) return wrong;
        values += detail::value_bytes(count, m.kind.value_bits);
      }
      at += detail::run_bytes(run.chunks, values);
      if (at > bytes - detail::bitmask_padding) return ends_early();
    }
    at = detail::round_up(at, 64);
    if (at > bytes - detail::bitmask_padding) return ends_early();
  }
  if (static_cast<index_t>(m.tile_offsets()[m.tiles()]) * 64 != at) {
    return {status_code::bad_format, "the last offset is not the end of the last tile", "data",
            position_kind::byte, m.tiles() * 4};
  }
  return at > bytes - detail::bitmask_padding ? ends_early() : status();
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_FORMAT_BITMASK_HPP
