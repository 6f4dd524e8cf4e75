// Names and numbers as C++ source has them: which words a program may define, and floats that are read
// back to the bit.
#ifndef PARE_IO_DETAIL_C_SOURCE_TEXT_HPP
#define PARE_IO_DETAIL_C_SOURCE_TEXT_HPP

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include <pare/core/bit_cast.hpp>
#include <pare/core/config.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

// --- names ---

inline bool is_one_of(std::string_view word, std::string_view words) {
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

/// [lex.key], [lex.digraph] of C++23, and the contextual words and macros that would surprise.
inline bool is_cpp_keyword(std::string_view word) {
  return is_one_of(
      word,
      "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t "
      "char16_t char32_t class compl concept const consteval constexpr constinit const_cast "
      "continue co_await co_return co_yield decltype default delete do double dynamic_cast else "
      "enum explicit export extern false float for friend goto if inline int long mutable "
      "namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
      "register reinterpret_cast requires return short signed sizeof static static_assert "
      "static_cast struct switch template this thread_local throw true try typedef typeid "
      "typename union unsigned using virtual void volatile wchar_t while xor xor_eq "
      "NULL EOF assert errno stdin stdout stderr linux unix");
}

/// Whether a program may define this name: [lex.name], without those reserved for compilers.
inline bool is_free_identifier(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || name[0] == '_' || !is_letter(name[0])) return false;
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c)) return false;
  }
  return name.find("__") == std::string_view::npos && !is_cpp_keyword(name);
}

inline bool is_namespace_name(std::string_view name) {
  for (std::size_t at = 0;;) {
    const std::size_t end = name.find("::", at);
    if (!is_free_identifier(name.substr(at, end - at))) return false;
    if (end == std::string_view::npos) break;
    at = end + 2;
  }
  // The library's own, where a layer could hide a function, and the standard's.
  const std::string_view first = name.substr(0, name.find("::"));
  return first != "pare" && first != "std" && first != "posix";
}

inline std::string guard_of(std::string_view namespace_name) {
  std::string guard;
  for (const char c : namespace_name) {
    if (c == ':' && !guard.empty() && guard.back() == '_') continue;
    guard += c == ':' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return guard + "_HPP";
}

// --- numbers ---

/// A float as C++17 reads it back, to the bit: 0x1.8p-3f. The same on every machine, which printf's
/// %a is not.
inline std::string exact_float(float x) {
  const auto bits = bit_cast<std::uint32_t>(x);
  const std::uint32_t fraction = bits & 0x7fffffu, exponent = (bits >> 23) & 0xffu;
  std::string text = (bits >> 31) != 0 ? "-" : "";
  if (exponent == 0 && fraction == 0) return text + "0.0f";
  text += exponent == 0 ? "0x0" : "0x1";
  if (fraction != 0) {
    text += '.';
    for (std::uint32_t rest = fraction << 1; rest != 0; rest = (rest << 4) & 0xffffffu) {
      text += "0123456789abcdef"[rest >> 20];
    }
  }
  return text + 'p' + std::to_string(exponent == 0 ? -126 : static_cast<int>(exponent) - 127) + 'f';
}

/// A float for people.
inline std::string short_float(float x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", static_cast<double>(x));
  return text;
}

inline std::string literal_of(std::int8_t x) { return std::to_string(static_cast<int>(x)); }
inline std::string literal_of(std::uint8_t x) { return std::to_string(static_cast<int>(x)); }
inline std::string literal_of(std::uint16_t x) { return std::to_string(static_cast<int>(x)); }
inline std::string literal_of(std::uint32_t x) { return std::to_string(x) + 'u'; }
inline std::string literal_of(std::int32_t x) {
  return x == INT32_MIN ? "INT32_MIN" : std::to_string(x);
}
inline std::string literal_of(float x) { return exact_float(x); }

template <class T>
constexpr const char* type_name() noexcept {
  if constexpr (std::is_same_v<T, std::int8_t>) return "std::int8_t";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "std::uint8_t";
  if constexpr (std::is_same_v<T, std::uint16_t>) return "std::uint16_t";
  if constexpr (std::is_same_v<T, std::int32_t>) return "std::int32_t";
  if constexpr (std::is_same_v<T, std::uint32_t>) return "std::uint32_t";
  return "float";
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_IO_DETAIL_C_SOURCE_TEXT_HPP
