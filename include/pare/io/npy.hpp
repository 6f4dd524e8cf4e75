// NumPy's .npy files in and out: one array with its element type, shape and order. Host tier only.
//
// NEP 1, "A Simple File Format for NumPy Arrays", and numpy.lib.format; versions 1.0, 2.0 and 3.0.
#ifndef PARE_IO_NPY_HPP
#define PARE_IO_NPY_HPP

#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <pare/core/for_each.hpp>
#include <pare/core/small_float.hpp>
#include <pare/core/tensor.hpp>
#include <pare/io/detail/file.hpp>

namespace pare {

/// The element types of arrays that this library reads and writes.
///
/// NumPy has no bfloat16 of its own. Arrays made with ml_dtypes are saved with the descriptor
/// `<V2`, two bytes without a meaning; that, `|V2` and the name `bfloat16` are read as bfloat16,
/// and `<V2` is written: `np.load(path).view(ml_dtypes.bfloat16)`.
enum class npy_type : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
};

/// Which byte of a number comes first.
enum class byte_order : std::uint8_t { little, big };

/// The largest rank of an array that can be read; that of `tensor`.
inline constexpr index_t npy_max_rank = 8;

/// What stands before the elements in a .npy file.
struct npy_header {
  npy_type type = npy_type::float32;
  byte_order order = byte_order::little;
  bool fortran_order = false;        ///< the first index runs fastest
  index_t rank = 0;                  ///< 0 to npy_max_rank
  index_t shape[npy_max_rank] = {};  ///< `rank` extents
  index_t data_offset = 0;           ///< bytes before the first element
  index_t data_bytes = 0;            ///< bytes of all elements; offset + bytes does not overflow
};

namespace detail {

/// Bytes that tell the length of the header in every version.
inline constexpr index_t npy_preamble_bytes = 12;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
inline constexpr byte_order native_byte_order = byte_order::big;
#else
inline constexpr byte_order native_byte_order = byte_order::little;
#endif

template <class T>
inline constexpr bool is_npy_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
    !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>;

template <class T>
constexpr npy_type npy_type_of() noexcept {
  static_assert(is_npy_integer<T> || std::is_same_v<T, bool> || std::is_same_v<T, half> ||
                    std::is_same_v<T, bfloat16> || std::is_same_v<T, float> ||
                    std::is_same_v<T, double>,
                "pare: a .npy array holds bool, integers of 8 to 64 bits, half, bfloat16, float or "
                "double");
  if constexpr (std::is_same_v<T, bool>) {
    static_assert(sizeof(bool) == 1);
    return npy_type::boolean;
  } else if constexpr (is_npy_integer<T>) {
    const bool is_signed = std::is_signed_v<T>;
    switch (sizeof(T)) {
      case 1: return is_signed ? npy_type::int8 : npy_type::uint8;
      case 2: return is_signed ? npy_type::int16 : npy_type::uint16;
      case 4: return is_signed ? npy_type::int32 : npy_type::uint32;
      default: return is_signed ? npy_type::int64 : npy_type::uint64;
    }
  } else if constexpr (std::is_same_v<T, half>) {
    return npy_type::float16;
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return npy_type::bfloat16;
  } else if constexpr (std::is_same_v<T, float>) {
    return npy_type::float32;
  } else {
    return npy_type::float64;
  }
}

struct npy_type_properties {
  char code[3];  // as in a descriptor, after the byte order
  std::int8_t bytes;
  const char* mismatch;
};

constexpr npy_type_properties properties_of(npy_type type) noexcept {
  switch (type) {
    case npy_type::boolean: return {"b1", 1, "the array holds bool (b1), not the type asked for"};
    case npy_type::int8: return {"i1", 1, "the array holds int8 (i1), not the type asked for"};
    case npy_type::int16: return {"i2", 2, "the array holds int16 (i2), not the type asked for"};
    case npy_type::int32: return {"i4", 4, "the array holds int32 (i4), not the type asked for"};
    case npy_type::int64: return {"i8", 8, "the array holds int64 (i8), not the type asked for"};
    case npy_type::uint8: return {"u1", 1, "the array holds uint8 (u1), not the type asked for"};
    case npy_type::uint16: return {"u2", 2, "the array holds uint16 (u2), not the type asked for"};
    case npy_type::uint32: return {"u4", 4, "the array holds uint32 (u4), not the type asked for"};
    case npy_type::uint64: return {"u8", 8, "the array holds uint64 (u8), not the type asked for"};
    case npy_type::float16:
      return {"f2", 2, "the array holds float16 (f2), not the type asked for"};
    case npy_type::bfloat16:
      return {"V2", 2, "the array holds bfloat16 (V2), not the type asked for"};
    case npy_type::float32:
      return {"f4", 4, "the array holds float32 (f4), not the type asked for"};
    case npy_type::float64:
      return {"f8", 8, "the array holds float64 (f8), not the type asked for"};
  }
  return {"", 0, "the array holds an unknown type"};
}

inline constexpr npy_type last_npy_type = npy_type::float64;

constexpr error npy_error(status_code code, index_t byte, const char* message) noexcept {
  return {code, position_kind::byte, message, "npy", byte};
}

inline namespace PARE_ABI {

/// Reads the Python dictionary of a header: three keys in any order, literals only.
class npy_dictionary_reader {
 public:
  npy_dictionary_reader(const unsigned char* bytes, index_t first, index_t last) noexcept
      : bytes_(bytes), at_(first), end_(last) {}

  status read(npy_header& h) noexcept {
    bool has_descr = false, has_order = false, has_shape = false;
    skip_space();
    if (!accept('{')) return malformed("the header is not a Python dictionary");
    for (skip_space(); !accept('}'); skip_space()) {
      const index_t key_at = at_;
      text key;
      PARE_RETURN_IF_ERROR(read_string(key));
      skip_space();
      if (!accept(':')) return malformed("a colon must follow the key");
      skip_space();
      bool* seen = nullptr;
      if (key.is("descr")) {
        seen = &has_descr;
        PARE_RETURN_IF_ERROR(read_descr(h));
      } else if (key.is("fortran_order")) {
        seen = &has_order;
        PARE_RETURN_IF_ERROR(read_bool(h.fortran_order));
      } else if (key.is("shape")) {
        seen = &has_shape;
        shape_at_ = at_;
        PARE_RETURN_IF_ERROR(read_shape(h));
      } else {
        return malformed_at(key_at, "the header has a key other than descr, fortran_order, shape");
      }
      if (*seen) return malformed_at(key_at, "the header has the same key twice");
      *seen = true;
      skip_space();
      if (!accept(',') && !(at_ < end_ && bytes_[at_] == '}')) {
        return malformed("a comma or a closing brace must follow the value");
      }
    }
    skip_space();
    if (at_ != end_) return malformed("text follows the dictionary of the header");
    if (!has_descr) return malformed("the header has no key descr");
    if (!has_order) return malformed("the header has no key fortran_order");
    if (!has_shape) return malformed("the header has no key shape");
    return measure(h);
  }

 private:
  struct text {
    const unsigned char* data = nullptr;
    index_t size = 0;
    bool is(const char* other) const noexcept {
      return static_cast<std::size_t>(size) == std::strlen(other) &&
             std::memcmp(data, other, static_cast<std::size_t>(size)) == 0;
    }
  };

  static status malformed_at(index_t byte, const char* message) noexcept {
    return npy_error(status_code::bad_format, byte, message);
  }
  status malformed(const char* message) const noexcept { return malformed_at(at_, message); }

  void skip_space() noexcept {
    while (at_ < end_ && (bytes_[at_] == ' ' || (bytes_[at_] >= '\t' && bytes_[at_] <= '\r')))
      ++at_;
  }
  bool accept(char c) noexcept {
    if (at_ == end_ || bytes_[at_] != static_cast<unsigned char>(c)) return false;
    ++at_;
    return true;
  }
  bool accept_word(const char* word) noexcept {
    const std::size_t n = std::strlen(word);
    if (static_cast<std::size_t>(end_ - at_) < n || std::memcmp(bytes_ + at_, word, n) != 0) {
      return false;
    }
    at_ += static_cast<index_t>(n);
    return true;
  }
  bool at_digit() const noexcept { return at_ < end_ && bytes_[at_] >= '0' && bytes_[at_] <= '9'; }

  status read_string(text& s) noexcept {
    const char quote = accept('\'') ? '\'' : (accept('"') ? '"' : '\0');
    if (quote == '\0') return malformed("a string in quotes is expected");
    const index_t first = at_;
    while (at_ < end_ && bytes_[at_] != static_cast<unsigned char>(quote)) {
      if (bytes_[at_] < ' ' || bytes_[at_] == '\\') {
        return malformed("a string of the header holds an escape or a control character");
      }
      ++at_;
    }
    s = {bytes_ + first, at_ - first};
    if (!accept(quote)) return malformed("a string of the header has no closing quote");
    return {};
  }

  status read_bool(bool& value) noexcept {
    if (accept_word("True")) {
      value = true;
    } else if (accept_word("False")) {
      value = false;
    } else {
      return malformed("fortran_order must be True or False");
    }
    return {};
  }

  status read_descr(npy_header& h) noexcept {
    const index_t descr_at = at_;
    const auto unsupported = [descr_at](const char* message) {
      return npy_error(status_code::unsupported, descr_at, message);
    };
    if (at_ < end_ && (bytes_[at_] == '[' || bytes_[at_] == '(')) {
      return unsupported("arrays with structured elements are not supported");
    }
    text descr;
    PARE_RETURN_IF_ERROR(read_string(descr));
    if (descr.is("bfloat16")) {
      h.type = npy_type::bfloat16;
      h.order = native_byte_order;
      return {};
    }
    if (descr.size >= 2 && descr.data[0] == '|' && descr.data[1] == 'O') {
      return unsupported("arrays of Python objects are not supported");
    }
    for (int t = 0; descr.size == 3 && t <= static_cast<int>(last_npy_type); ++t) {
      const npy_type type = static_cast<npy_type>(t);
      const npy_type_properties properties = properties_of(type);
      if (std::memcmp(descr.data + 1, properties.code, 2) != 0) continue;
      const unsigned char order = descr.data[0];
      const bool orderless = properties.bytes == 1 || type == npy_type::bfloat16;
      if (order != '<' && order != '>' && order != '=' && !(order == '|' && orderless)) break;
      h.type = type;
      h.order = order == '<'   ? byte_order::little
                : order == '>' ? byte_order::big
                               : native_byte_order;
      return {};
    }
    return unsupported("arrays of this element type are not supported");
  }

  status read_shape(npy_header& h) noexcept {
    if (!accept('(')) return malformed("the shape must be a tuple");
    bool comma = true;
    h.rank = 0;
    for (skip_space(); !accept(')'); skip_space()) {
      if (!comma) return malformed("a comma must stand between two extents");
      if (h.rank == npy_max_rank) {
        return npy_error(status_code::unsupported, at_,
                         "arrays with more than 8 dimensions are not supported");
      }
      PARE_RETURN_IF_ERROR(read_extent(h.shape[h.rank]));
      ++h.rank;
      skip_space();
      comma = accept(',');
    }
    if (h.rank == 1 && !comma) return malformed("a shape of one extent is written (n,)");
    return {};
  }

  status read_extent(index_t& extent) noexcept {
    if (at_ < end_ && bytes_[at_] == '-') return malformed("an extent is negative");
    if (!at_digit()) return malformed("an extent must be a decimal integer");
    const index_t first = at_;
    index_t n = 0;
    for (; at_digit(); ++at_) {
      if (!checked_multiply(n, 10, n) || !checked_add(n, bytes_[at_] - '0', n)) {
        return npy_error(status_code::overflow, first, "an extent does not fit the index type");
      }
    }
    if (bytes_[first] == '0' && at_ - first > 1) {
      return malformed_at(first, "an extent has leading zeros");
    }
    accept('L');  // Python 2 wrote its long integers so
    extent = n;
    return {};
  }

  /// The bytes of all elements. Extents are multiplied past zeros too, as strides must not
  /// overflow.
  status measure(npy_header& h) const noexcept {
    index_t bytes = properties_of(h.type).bytes, end = 0;
    bool empty = false;
    for (index_t r = 0; r < h.rank; ++r) {
      if (h.shape[r] == 0) {
        empty = true;
      } else if (!checked_multiply(bytes, h.shape[r], bytes)) {
        return npy_error(status_code::overflow, shape_at_,
                         "the number of elements does not fit the index type");
      }
    }
    h.data_bytes = empty ? 0 : bytes;
    if (!checked_add(h.data_offset, h.data_bytes, end)) {
      return npy_error(status_code::overflow, shape_at_,
                       "the size of the array does not fit the index type");
    }
    return {};
  }

  const unsigned char* bytes_;
  index_t at_, end_;
  index_t shape_at_ = 0;
};

/// Reads magic, version and header length: where the dictionary starts and where the data does.
inline status read_npy_preamble(const unsigned char* bytes, index_t size, index_t& text_offset,
                                index_t& data_offset) noexcept {
  static constexpr unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  for (index_t i = 0; i < 6 && i < size; ++i) {
    if (bytes[i] != magic[i]) {
      return npy_error(status_code::bad_format, i, "this is not a .npy file: the magic differs");
    }
  }
  if (size > 7 && (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)) {
    return npy_error(status_code::unsupported, 6, "only .npy versions 1.0, 2.0 and 3.0 are known");
  }
  if (size < npy_preamble_bytes) {
    return npy_error(status_code::truncated, size, "the file ends within its preamble");
  }
  text_offset = bytes[6] == 1 ? 10 : 12;
  std::uint32_t length = 0;
  for (index_t i = text_offset; i-- > 8;) length = (length << 8) | bytes[i];
  if (!checked_add(text_offset, static_cast<index_t>(length), data_offset)) {
    return npy_error(status_code::overflow, 8, "the header length does not fit the index type");
  }
  return {};
}

/// Whether the elements of a view lie in row-major order without gaps.
template <class View>
constexpr bool is_row_major(const View& v) noexcept {
  index_t expected = 1;
  for (std::size_t r = View::rank(); r-- > 0;) {
    if (v.extent(r) != 1 && v.stride(r) != expected) return false;
    expected *= v.extent(r);
  }
  return true;
}

/// The same elements with the order of the dimensions reversed: visiting it in row-major order
/// visits the original in column-major order.
template <class T, class E, class L>
constexpr auto reversed(const tensor_view<T, E, L>& v) noexcept {
  using shape = dextents<index_t, E::rank()>;
  using result_view = tensor_view<T, shape, layout_stride>;
  index_t sizes[E::rank()] = {};
  typename result_view::mapping_type::strides_type strides{};
  for (std::size_t r = 0; r < E::rank(); ++r) {
    sizes[r] = v.extent(E::rank() - 1 - r);
    strides[r] = v.stride(E::rank() - 1 - r);
  }
  return result_view(v.data_handle(), typename result_view::mapping_type(shape(sizes), strides));
}

/// f(view whose row-major order is the order in the file).
template <class T, class E, class L, class F>
constexpr auto in_file_order(const tensor_view<T, E, L>& v, bool fortran_order, F&& f) {
  if constexpr (E::rank() > 1) {
    if (fortran_order) return f(reversed(v));
  }
  return f(v);
}

template <class T>
T load_element(const std::byte* from, byte_order order) noexcept {
  unsigned char raw[sizeof(T)];
  std::memcpy(raw, from, sizeof(T));
  if (order != native_byte_order) {
    for (std::size_t i = 0; i < sizeof(T) / 2; ++i) {
      const unsigned char kept = raw[i];
      raw[i] = raw[sizeof(T) - 1 - i];
      raw[sizeof(T) - 1 - i] = kept;
    }
  }
  T element;
  std::memcpy(static_cast<void*>(&element), raw, sizeof(T));
  return element;
}

/// Fills `out` from the elements of a file. `data` may be the memory of `out` where nothing moves.
template <class T, class E, class L>
void decode_npy(const std::byte* data, const npy_header& h,
                const tensor_view<T, E, L>& out) noexcept {
  in_file_order(out, h.fortran_order, [&](const auto& v) {
    if ((sizeof(T) == 1 || h.order == native_byte_order) && is_row_major(v)) {
      if (!v.empty() && static_cast<const void*>(v.data_handle()) != data) {
        std::memcpy(static_cast<void*>(v.data_handle()), data, v.size() * sizeof(T));
      }
      return;
    }
    for_each_element(v, [&](T& element, index_t i) {
      element = load_element<T>(data + i * static_cast<index_t>(sizeof(T)), h.order);
    });
  });
}

/// NumPy's booleans are the bytes 0 and 1; any other value would be undefined in C++.
inline status check_npy_booleans(const std::byte* data, const npy_header& h) noexcept {
  if (h.type != npy_type::boolean) return {};
  for (index_t i = 0; i < h.data_bytes; ++i) {
    if (static_cast<unsigned char>(data[i]) > 1) {
      return npy_error(status_code::bad_format, h.data_offset + i,
                       "a boolean element is neither 0 nor 1");
    }
  }
  return {};
}

/// Whether a file of `size` bytes holds exactly the array of its header, as the type and with the
/// rank that the caller wants.
inline status check_npy(const npy_header& h, npy_type wanted, std::size_t rank,
                        index_t size) noexcept {
  if (h.type != wanted && !(h.type == npy_type::boolean && wanted == npy_type::uint8)) {
    return {status_code::unsupported, properties_of(h.type).mismatch, "npy"};
  }
  if (h.rank != static_cast<index_t>(rank)) {
    return {status_code::shape_mismatch, "the array has another number of dimensions", "npy",
            position_kind::axis, h.rank};
  }
  const index_t end = h.data_offset + h.data_bytes;
  if (size < end) {
    return npy_error(status_code::truncated, size, "the file ends before its last element");
  }
  if (size > end) {
    return npy_error(status_code::bad_format, end, "bytes follow the last element");
  }
  return {};
}

template <std::size_t Rank>
dextents<index_t, Rank> npy_extents(const npy_header& h) noexcept {
  if constexpr (Rank == 0) {
    return {};
  } else {
    index_t shape[Rank] = {};
    for (std::size_t r = 0; r < Rank; ++r) shape[r] = h.shape[r];
    return dextents<index_t, Rank>(shape);
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// What the header of a .npy file says, and where the elements start.
///
/// @param bytes  the file, or its first bytes
/// @param size   bytes that are there; those after the header are not looked at
/// @return `truncated` where the header is not complete, `bad_format` where it is no .npy header,
///         `unsupported` for other versions, element types and ranks, `overflow` where the shape
///         is too large; each with the byte where it was noticed
///
/// One pass over the header; no allocation.
[[nodiscard]] inline result<npy_header> parse_npy_header(const void* bytes, index_t size) noexcept {
  const unsigned char* b = static_cast<const unsigned char*>(bytes);
  npy_header h;
  index_t text_offset = 0;
  PARE_RETURN_IF_ERROR(detail::read_npy_preamble(b, size, text_offset, h.data_offset));
  if (h.data_offset > size) {
    return detail::npy_error(status_code::truncated, size, "the file ends within its header");
  }
  detail::npy_dictionary_reader reader(b, text_offset, h.data_offset);
  PARE_RETURN_IF_ERROR(reader.read(h));
  return h;
}

/// Fills `out`, of any layout, from a .npy file in memory.
///
/// @tparam T    the element type of the file; nothing is converted, except that booleans are also
///              read as `std::uint8_t`
/// @param bytes the whole file, in either order of elements and of bytes; any alignment
/// @param size  its bytes
/// @param out   the shape of the file
/// @return as `parse_npy_header`; `unsupported` where the file holds another type, `shape_mismatch`
///         (with the rank of the file, or the axis that differs), `truncated`, `bad_format` where
///         bytes follow the array or a boolean is neither 0 nor 1; `out` is then untouched
template <class T, class E, class L>
[[nodiscard]] status read_npy(const void* bytes, index_t size,
                              const tensor_view<T, E, L>& out) noexcept {
  const result<npy_header> h = parse_npy_header(bytes, size);
  if (!h) return h.error();
  PARE_RETURN_IF_ERROR(detail::check_npy(*h, detail::npy_type_of<T>(), E::rank(), size));
  for (std::size_t r = 0; r < E::rank(); ++r) {
    if (out.extent(r) != h->shape[r]) {
      return {status_code::shape_mismatch, "the array has another shape than the view", "npy",
              position_kind::axis, static_cast<index_t>(r)};
    }
  }
  const std::byte* data = static_cast<const std::byte*>(bytes) + h->data_offset;
  PARE_RETURN_IF_ERROR(detail::check_npy_booleans(data, *h));
  detail::decode_npy(data, *h, out);
  return {};
}

/// The array of a .npy file in memory, row-major.
///
///     auto w = pare::read_npy<float, 2>(bytes.data(), bytes.size());
///
/// @return as above, and `out_of_memory`. Memory is asked for only when the file really holds the
///         elements.
template <class T, std::size_t Rank>
[[nodiscard]] result<tensor<T, Rank>> read_npy(const void* bytes, index_t size) noexcept {
  const result<npy_header> h = parse_npy_header(bytes, size);
  if (!h) return h.error();
  PARE_RETURN_IF_ERROR(detail::check_npy(*h, detail::npy_type_of<T>(), Rank, size));
  auto array = tensor<T, Rank>::create(detail::npy_extents<Rank>(*h));
  if (array) PARE_RETURN_IF_ERROR((read_npy(bytes, size, array->view())));
  return array;
}

}  // namespace PARE_ABI

namespace detail {
inline namespace PARE_ABI {

/// Writes what stands before the elements, as version 1.0 in this machine's byte order; byte for
/// byte what `numpy.save` writes.
///
/// @param h       type, order, rank and shape
/// @param header  receives the text; the longest takes 256 bytes
/// @return the number of bytes written
inline index_t make_npy_header(const npy_header& h, unsigned char (&header)[512]) noexcept {
  index_t at = 10;
  const auto put = [&](const char* text) {
    for (; *text != '\0'; ++text) header[at++] = static_cast<unsigned char>(*text);
  };
  const auto put_number = [&](index_t n) {
    char digits[20];
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n > 0);
    for (int i = count; i-- > 0;) header[at++] = static_cast<unsigned char>(digits[i]);
  };

  const npy_type_properties type = properties_of(h.type);
  put("{'descr': '");
  put(type.bytes == 1 ? "|" : (native_byte_order == byte_order::little ? "<" : ">"));
  put(type.code);
  put("', 'fortran_order': ");
  put(h.fortran_order ? "True" : "False");
  put(", 'shape': (");
  for (index_t r = 0; r < h.rank; ++r) {
    if (r > 0) put(", ");
    put_number(h.shape[r]);
  }
  put(h.rank == 1 ? ",), }" : "), }");
  const index_t data_offset = (at + 1) / 64 * 64 + 64;
  while (at < data_offset - 1) header[at++] = ' ';
  header[at++] = '\n';

  static constexpr unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  std::memcpy(header, magic, sizeof(magic));
  header[8] = static_cast<unsigned char>((at - 10) & 0xff);
  header[9] = static_cast<unsigned char>((at - 10) >> 8);
  return at;
}

/// sink(bytes, size) -> bool for header and elements, in order. Returns false when the sink does.
template <class T, class E, class L, class Sink>
bool encode_npy(const tensor_view<T, E, L>& array, Sink&& sink) {
  using element = std::remove_const_t<T>;
  static_assert(E::rank() <= static_cast<std::size_t>(npy_max_rank),
                "pare: a .npy array that can be read again has at most 8 dimensions");
  npy_header h;
  h.type = npy_type_of<element>();
  h.fortran_order = std::is_same_v<L, layout_left> && E::rank() > 1;
  h.rank = static_cast<index_t>(E::rank());
  for (std::size_t r = 0; r < E::rank(); ++r) h.shape[r] = array.extent(r);
  unsigned char header[512];
  const index_t header_bytes = make_npy_header(h, header);
  if (!sink(static_cast<const void*>(header), static_cast<std::size_t>(header_bytes))) return false;
  return in_file_order(array, h.fortran_order, [&](const auto& v) {
    if (v.empty()) return true;
    if (is_row_major(v)) {
      return sink(static_cast<const void*>(v.data_handle()), v.size() * sizeof(element));
    }
    element block[1024];
    std::size_t count = 0;
    const bool all = for_each_element_while(v, [&](const element& e, index_t) {
      block[count++] = e;
      if (count < 1024) return true;
      count = 0;
      return sink(static_cast<const void*>(block), sizeof(block));
    });
    return all && sink(static_cast<const void*>(block), count * sizeof(element));
  });
}

/// A .npy file, read up to its first element.
struct opened_npy {
  file in;
  npy_header header;
};

inline error unreadable_file() noexcept {
  return {status_code::io, position_kind::none, "the file cannot be read", "path", 0};
}

/// Opens a file, reads its header and checks that it holds what the caller wants.
///
/// The size is asked for first: opening a pipe would wait for its writer.
inline status open_npy(const std::filesystem::path& path, npy_type wanted, std::size_t rank,
                       opened_npy& npy) {
  std::error_code failure;
  const std::uintmax_t file_bytes = std::filesystem::file_size(path, failure);
  if (failure) return {status_code::io, "the file does not exist or is not a file", "path"};
  if (file_bytes > static_cast<std::uintmax_t>(max_index)) {
    return {status_code::overflow, "the size of the file does not fit the index type", "path"};
  }
  const index_t size = static_cast<index_t>(file_bytes);
  if (!npy.in.open(path, file_use::read))
    return {status_code::io, "the file cannot be opened", "path"};

  unsigned char preamble[npy_preamble_bytes];
  const index_t known = min(size, npy_preamble_bytes);
  if (!npy.in.read(preamble, static_cast<std::size_t>(known))) return unreadable_file();
  npy_header& h = npy.header;
  index_t text_offset = 0;
  PARE_RETURN_IF_ERROR(read_npy_preamble(preamble, known, text_offset, h.data_offset));
  if (h.data_offset > size) {
    return npy_error(status_code::truncated, size, "the file ends within its header");
  }
  std::vector<unsigned char> header(static_cast<std::size_t>(max(h.data_offset, known)));
  std::memcpy(header.data(), preamble, static_cast<std::size_t>(known));
  if (!npy.in.read(header.data() + known, header.size() - static_cast<std::size_t>(known))) {
    return unreadable_file();
  }
  npy_dictionary_reader reader(header.data(), text_offset, h.data_offset);
  PARE_RETURN_IF_ERROR(reader.read(h));
  return check_npy(h, wanted, rank, size);
}

template <class T, std::size_t Rank>
result<tensor<T, Rank>> load_npy(const std::filesystem::path& path) {
  opened_npy npy;
  PARE_RETURN_IF_ERROR(open_npy(path, npy_type_of<T>(), Rank, npy));
  const npy_header& h = npy.header;
  auto array = tensor<T, Rank>::create(npy_extents<Rank>(h));
  if (!array) return array;
  // Elements that only change their byte order are read into place; others move, so they need a
  // second place.
  auto moved = tensor<std::byte, 1>::create(
      dextents<index_t, 1>(h.fortran_order && Rank > 1 ? h.data_bytes : 0));
  if (!moved) return moved.error();
  std::byte* data = moved->empty() ? reinterpret_cast<std::byte*>(array->data()) : moved->data();
  if (!npy.in.read(data, static_cast<std::size_t>(h.data_bytes))) return unreadable_file();
  PARE_RETURN_IF_ERROR(check_npy_booleans(data, h));
  decode_npy(data, h, array->view());
  return array;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The array of a .npy file, row-major, whatever order the file has.
///
///     auto w = pare::load_npy<float, 2>("w.npy");
///     if (!w) report(w.error().message);
///
/// @return as `read_npy`, and `io` where the file cannot be read (pipes and devices cannot: their
///         size is not known)
template <class T, std::size_t Rank>
[[nodiscard]] result<tensor<T, Rank>> load_npy(const std::filesystem::path& path) noexcept {
  return detail::without_exceptions<result<tensor<T, Rank>>>(
      "npy", [&] { return detail::load_npy<T, Rank>(path); });
}

/// A view as a .npy file in memory, version 1.0, aligned to 64 bytes as NumPy writes it.
///
/// Views with `layout_left` are written in Fortran order, all others in C order; the byte order is
/// this machine's. `std::uint8_t` is written as uint8, `bool` as bool.
///
/// @param array  any shape and layout, empty and rank 0 too
/// @return `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<std::vector<std::byte>> write_npy(const tensor_view<T, E, L>& array) noexcept {
  using bytes = std::vector<std::byte>;
  return detail::without_exceptions<result<bytes>>("npy", [&]() -> result<bytes> {
    bytes out;
    out.reserve(512 + array.size() * sizeof(T));
    detail::encode_npy(array, [&out](const void* from, std::size_t size) {
      const std::byte* first = static_cast<const std::byte*>(from);
      out.insert(out.end(), first, first + size);
      return true;
    });
    return out;
  });
}

/// Writes a view to a .npy file, as `write_npy` does.
///
/// The file is written beside `path`, under its name and `.part0`, and then renamed: until the call
/// succeeds, a file that was there stays as it was.
///
/// @return `io` where the file cannot be created or written, or `path` is no regular file
template <class T, class E, class L>
[[nodiscard]] status save_npy(const std::filesystem::path& path,
                              const tensor_view<T, E, L>& array) noexcept {
  return detail::without_exceptions<status>("npy", [&] {
    return detail::replace_file(path, [&](detail::file& out) {
      return detail::encode_npy(
          array, [&out](const void* from, std::size_t size) { return out.write(from, size); });
    });
  });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_IO_NPY_HPP
