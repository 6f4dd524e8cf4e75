// How a call says that it could not do its work: a code, a sentence, and the place.
//
// A function that fails leaves its outputs as they were.
#ifndef PARE_CORE_STATUS_HPP
#define PARE_CORE_STATUS_HPP

#include <pare/core/config.hpp>

namespace pare {

/// What went wrong, for programs.
enum class status_code : std::uint8_t {
  ok = 0,
  invalid_argument,     ///< an option contradicts itself or is not one of those offered
  shape_mismatch,       ///< extents do not fit each other
  out_of_range,         ///< an amount, index, bit width or temperature outside what is allowed
  non_finite,           ///< a NaN or an infinity where numbers are needed
  empty,                ///< a tensor without elements where there must be some
  overflow,             ///< a size does not fit its integer type
  workspace_too_small,  ///< scratch memory shorter than the size query said
  unsupported,          ///< valid, but not offered by this build or this machine
  bad_format,           ///< a file or a buffer is not what it claims to be
  truncated,            ///< a file or a buffer ends too early
  io,                   ///< the operating system could not open, read or write
  out_of_memory,        ///< the host's allocator had no more (host tier only)
};

/// What `error::position` counts.
enum class position_kind : std::uint8_t {
  none,
  element,  ///< linear index in row-major order
  row,      ///< index along the first axis
  axis,     ///< number of a dimension
  byte,     ///< offset from the start of a file or a buffer; for scratch, the bytes needed
};

namespace detail {

/// What an error says, or nothing where PARE_ERROR_TEXTS is 0.
constexpr PARE_ALWAYS_INLINE const char* error_text(const char* text) noexcept {
  return PARE_ERROR_TEXTS != 0 ? text : "";
}

}  // namespace detail

/// Why a call failed, for people and programs. Trivial, and the same layout under all flags.
struct error {
  status_code code = status_code::ok;
  position_kind kind = position_kind::none;
  const char* message = "";  ///< a sentence in plain words; a string literal
  const char* subject = "";  ///< the argument or tensor it is about; a string literal
  index_t position = 0;      ///< where, counted as `kind` says
};

/// The outcome of a call that returns nothing else.
///
///     if (pare::status s = pare::linear(x, layer, y); !s) report(s.error().message);
///     CHECK(pare::prune_magnitude(w, amount, mask) == pare::status::non_finite);
class [[nodiscard]] status {
 public:
  static constexpr status_code ok = status_code::ok;
  static constexpr status_code invalid_argument = status_code::invalid_argument;
  static constexpr status_code shape_mismatch = status_code::shape_mismatch;
  static constexpr status_code out_of_range = status_code::out_of_range;
  static constexpr status_code non_finite = status_code::non_finite;
  static constexpr status_code empty = status_code::empty;
  static constexpr status_code overflow = status_code::overflow;
  static constexpr status_code workspace_too_small = status_code::workspace_too_small;
  static constexpr status_code unsupported = status_code::unsupported;
  static constexpr status_code bad_format = status_code::bad_format;
  static constexpr status_code truncated = status_code::truncated;
  static constexpr status_code io = status_code::io;
  static constexpr status_code out_of_memory = status_code::out_of_memory;

  /// Success.
  constexpr PARE_ALWAYS_INLINE status() noexcept
      : error_{status_code::ok, position_kind::none, "", "", 0} {}

  constexpr PARE_ALWAYS_INLINE status(const pare::error& e) noexcept : error_(e) {}

  constexpr PARE_ALWAYS_INLINE status(status_code code, const char* message,
                                      const char* subject = "",
                                      position_kind kind = position_kind::none,
                                      index_t position = 0) noexcept
      : error_{code, kind, detail::error_text(message), detail::error_text(subject), position} {}

  constexpr PARE_ALWAYS_INLINE bool is_ok() const noexcept {
    return error_.code == status_code::ok;
  }
  constexpr PARE_ALWAYS_INLINE explicit operator bool() const noexcept { return is_ok(); }
  constexpr PARE_ALWAYS_INLINE status_code code() const noexcept { return error_.code; }
  constexpr PARE_ALWAYS_INLINE const pare::error& error() const noexcept { return error_; }

  friend constexpr PARE_ALWAYS_INLINE bool operator==(const status& s, status_code c) noexcept {
    return s.code() == c;
  }
  friend constexpr PARE_ALWAYS_INLINE bool operator!=(const status& s, status_code c) noexcept {
    return s.code() != c;
  }

 private:
  pare::error error_;
};

/// The name of a code as it stands in the enumeration, for logs.
constexpr PARE_ALWAYS_INLINE const char* name(status_code code) noexcept {
  switch (code) {
    case status_code::ok: return "ok";
    case status_code::invalid_argument: return "invalid_argument";
    case status_code::shape_mismatch: return "shape_mismatch";
    case status_code::out_of_range: return "out_of_range";
    case status_code::non_finite: return "non_finite";
    case status_code::empty: return "empty";
    case status_code::overflow: return "overflow";
    case status_code::workspace_too_small: return "workspace_too_small";
    case status_code::unsupported: return "unsupported";
    case status_code::bad_format: return "bad_format";
    case status_code::truncated: return "truncated";
    case status_code::io: return "io";
    case status_code::out_of_memory: return "out_of_memory";
  }
  return "unknown";
}

}  // namespace pare

/// Leaves the function with the status of `expression` if that is not ok.
#define PARE_RETURN_IF_ERROR(expression)                                          \
  do {                                                                            \
    if (auto pare_status_ = (expression); PARE_UNLIKELY(!pare_status_.is_ok())) { \
      return pare_status_.error();                                                \
    }                                                                             \
  } while (false)

#endif  // PARE_CORE_STATUS_HPP
