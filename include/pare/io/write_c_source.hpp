// A packed network as a C++ header: weights that stay in flash, and layers that the kernels take as
// they are.
//
//     pare::c_source_options options;
//     options.namespace_name = "digits";
//     pare::save_c_source("digits.hpp", {{"fc1", fc1.view()}, {"fc2", fc2.view()}}, options);
//
// and in the firmware
//
//     #include "digits.hpp"
//     pare::linear(x, digits::fc1, hidden);
//
// The header needs the compiler and pare/format alone. Its objects are `inline constexpr`: nothing
// runs at start-up, and a linker drops what is not used. Floats are hexadecimal, so that they are
// read back to the bit. The same layers give the same text on every machine, one group of inputs a
// line, so that a version control system shows what a new training changed.
#ifndef PARE_IO_WRITE_C_SOURCE_HPP
#define PARE_IO_WRITE_C_SOURCE_HPP

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <pare/core/tensor.hpp>
#include <pare/io/detail/file.hpp>
#include <pare/io/named_layer.hpp>
#include <pare/kernels/repack.hpp>

namespace pare {

/// How a header is written.
struct c_source_options {
  /// Where the layers stand: identifiers with `::` between them.
  std::string namespace_name = "network";
  /// The macro that keeps the header from being read twice; empty: made of the namespace's name.
  std::string include_guard{};
  /// What the header's first comment says, one or several lines: where the weights come from, their
  /// licence, how to make the header again. Printable characters.
  std::string provenance{};
  /// Whose kernels will run the layers: they are packed anew for it. `isa::scalar` is also for
  /// Cortex-M.
  isa target = isa::scalar;
  /// Of each panel array in bytes, a power of two from 4 to 4096. 64 is what vector kernels like; 4
  /// is enough for `isa::scalar`, and saves the gaps.
  index_t alignment = 64;
};

namespace detail {
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
inline std::string literal_of(std::int32_t x) {
  return x == INT32_MIN ? "INT32_MIN" : std::to_string(x);
}
inline std::string literal_of(float x) { return exact_float(x); }

template <class T>
constexpr const char* type_name() noexcept {
  if constexpr (std::is_same_v<T, std::int8_t>) return "std::int8_t";
  if constexpr (std::is_same_v<T, std::int32_t>) return "std::int32_t";
  return "float";
}

constexpr const char* source_name(activation a) noexcept {
  switch (a) {
    case activation::relu: return "pare::activation::relu";
    case activation::relu6: return "pare::activation::relu6";
    case activation::none: break;
  }
  return "pare::activation::none";
}

constexpr const char* source_name(requantization r) noexcept {
  switch (r) {
    case requantization::onnx: return "pare::requantization::onnx";
    case requantization::double_rounding: return "pare::requantization::double_rounding";
    case requantization::single_rounding: return "pare::requantization::single_rounding";
    case requantization::nearest: break;
  }
  return "pare::requantization::nearest";
}

constexpr const char* source_name(conv2d_taps t) noexcept {
  switch (t) {
    case conv2d_taps::rows: return "pare::conv2d_taps::rows";
    case conv2d_taps::padded_pixels: return "pare::conv2d_taps::padded_pixels";
    case conv2d_taps::pixels: break;
  }
  return "pare::conv2d_taps::pixels";
}

/// The last word of a qualified name.
inline std::string_view bare(std::string_view name) { return name.substr(name.rfind(':') + 1); }

// --- the writer ---

/// The text of a header, layer by layer.
class c_source_writer {
 public:
  explicit c_source_writer(const c_source_options& options) : options_(options) {}

  std::string take(const std::vector<named_layer>& layers) {
    bool has_kind[std::variant_size_v<packed_layer>] = {};
    for (const named_layer& l : layers) has_kind[l.layer.index()] = true;
    std::string head;
    if (!options_.provenance.empty()) comment(options_.provenance, head), head += "//\n";
    head += "// Written by pare " PARE_VERSION_STRING "; do not edit. Weights are packed for " +
            std::string(name(options_.target)) + " kernels.\n// clang-format off\n";
    const std::string guard =
        options_.include_guard.empty() ? guard_of(options_.namespace_name) : options_.include_guard;
    head += "#ifndef " + guard + "\n#define " + guard + "\n\n";
    if (has_kind[2]) head += "#include <pare/format/packed_conv2d.hpp>\n";
    if (has_kind[3]) head += "#include <pare/format/packed_depthwise.hpp>\n";
    if (has_kind[0] || layers.empty()) head += "#include <pare/format/packed_linear.hpp>\n";
    if (has_kind[1]) head += "#include <pare/format/packed_low_bit_linear.hpp>\n";
    head += "\nnamespace " + options_.namespace_name + " {\n";
    return head + text_ + "\n}  // namespace " + options_.namespace_name + "\n\n#endif  // " +
           guard + "\n";
  }

  /// Packs the layer for the target and writes it.
  template <class Layer>
  status add(const named_layer& named, const Layer& layer) {
    const packed_linear_view& linear = linear_part(layer);
    if (linear.sums == nullptr && linear.out_features > 0) {
      return {status_code::invalid_argument, "the layer has no weights: it was not packed",
              "layer"};
    }
    if (linear.out_features == 0 || quads_of(layer) == 0) {
      return {status_code::empty, "a layer without inputs or outputs is not written", "layer"};
    }
    const auto bytes = repacked_size(layer, options_.target);
    if (!bytes) return bytes.error();
    auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
    if (!memory) return memory.error();
    const auto repacked = repack(layer, options_.target, workspace(memory->data(), memory->size()));
    if (!repacked) return repacked.error();
    name_ = named.name;
    text_ += '\n';
    describe(*repacked);
    if (!named.comment.empty()) comment(named.comment, text_);
    if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
      if (repacked->groups > 1) add_groups(*repacked);
    }
    if (groups_of(*repacked) == 1) add_arrays(linear_part(*repacked), quads_of(*repacked));
    add_object(*repacked);
    return {};
  }

 private:
  static void comment(std::string_view lines, std::string& to) {
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      to += end > at ? "// " : "//";
      to.append(lines.substr(at, end - at)) += '\n';
      at = end + 1;
    }
  }

  // What a layer is, in a comment above it.

  static std::string kernel_size(const window& w) {
    std::string text = std::to_string(w.height) + " x " + std::to_string(w.width) + " window";
    if (w.stride_y != 1 || w.stride_x != 1) {
      text += ", strides " + std::to_string(w.stride_y) + ", " + std::to_string(w.stride_x);
    }
    return text;
  }
  static std::string summary(const packed_linear_view& l) {
    return "linear, " + std::to_string(l.in_features) + " -> " + std::to_string(l.out_features) +
           ", 8-bit weights";
  }
  static std::string summary(const packed_low_bit_linear_view& l) {
    return "linear, " + std::to_string(l.base.in_features) + " -> " +
           std::to_string(l.base.out_features) + ", " + std::to_string(l.bits) + "-bit weights";
  }
  static std::string summary(const packed_conv2d_view& l) {
    return "conv2d, " + std::to_string(l.in_channels) + " -> " + std::to_string(l.out_channels) +
           " channels, " + kernel_size(l.window) +
           (l.groups > 1 ? ", " + std::to_string(l.groups) + " groups" : "");
  }
  static std::string summary(const packed_depthwise_view& l) {
    return "depthwise_conv2d, " + std::to_string(l.in_channels()) + " -> " +
           std::to_string(l.out_channels) + " channels, " + kernel_size(l.window);
  }
  static std::string codes(affine_params p) {
    return "scale " + short_float(p.scale) + ", zero point " + std::to_string(p.zero_point);
  }

  template <class Layer>
  void describe(const Layer& layer) {
    const packed_linear_view& l = linear_part(layer);
    const linear_options& o = l.options;
    index_t bytes = 0;
    for_each_array(l, quads_of(layer), [&](std::string_view, auto* from, index_t count, index_t) {
      if (from != nullptr) bytes += count * static_cast<index_t>(sizeof(*from));
    });
    bytes *= groups_of(layer);
    text_ += "// " + name_ + ": " + summary(layer);
    if (o.act != activation::none) text_.append(", ").append(bare(source_name(o.act)));
    text_ += "; " + std::to_string(bytes) + " bytes in panels of " +
             std::to_string(l.tile_columns) + " outputs.\n";
    if (o.input.scale != 0.0f) text_ += "// Inputs: " + codes(o.input) + ".\n";
    if (o.output.scale != 0.0f) {
      text_ += "// Outputs: " + codes(o.output) + ", rounded by ";
      text_.append(bare(source_name(o.rule))) += ".\n";
    }
  }

  // Arrays.

  template <class T>
  static void elements(const T* from, index_t count, index_t in_a_line, std::string_view indent,
                       std::string& to) {
    constexpr std::size_t width = 100;
    std::string line;
    for (index_t i = 0; i < count; ++i) {
      const std::string next = literal_of(from[i]) + ',';
      const bool is_full = indent.size() + line.size() + 1 + next.size() > width;
      if (!line.empty() && (i % in_a_line == 0 || is_full)) {
        to.append(indent).append(line) += '\n';
        line.clear();
      }
      if (!line.empty()) line += ' ';
      line += next;
    }
    to.append(indent).append(line) += '\n';
  }

  /// The arrays that a layer has: f(part, pointer, count, elements in a line).
  template <class F>
  static void for_each_array(const packed_linear_view& l, index_t quads, F f) {
    const index_t n = padded_columns(l);
    f("panels", l.panels, n * quads * 4, l.tile_columns * 4);
    f("sums", l.sums, n, 8);
    f("scales", l.scales, n, 4);
    f("bias", l.bias, n, 4);
    f("bias_codes", l.bias_codes, n, 8);
    f("factors", l.factors, n, 4);
    f("multipliers", l.multipliers, n, 8);
    f("shifts", l.shifts, n, 8);
  }

  std::string alignment() const { return "alignas(" + std::to_string(options_.alignment) + ") "; }

  void add_arrays(const packed_linear_view& l, index_t quads) {
    for_each_array(l, quads, [&](std::string_view part, auto* from, index_t count, index_t line) {
      using element = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
      if (from == nullptr) return;
      if (part == "panels") text_ += alignment();
      text_.append("inline constexpr ").append(type_name<element>()) += ' ';
      text_.append(name_).append("_").append(part) += "[] = {\n";
      elements(from, count, line, "    ", text_);
      text_ += "};\n";
    });
  }

  /// The groups of a convolution lie a fixed distance apart, as elements of one array.
  void add_groups(const packed_conv2d_view& layer) {
    const index_t quads = quads_of(layer);
    text_ += "struct " + name_ + "_group {\n";
    for_each_array(layer.first_group, quads,
                   [&](std::string_view part, auto* from, index_t count, index_t) {
                     using element = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
                     if (from == nullptr) return;
                     text_ += "  " + (part == "panels" ? alignment() : "") + type_name<element>();
                     text_.append(" ").append(part) += "[" + std::to_string(count) + "];\n";
                   });
    text_ += "};\ninline constexpr " + name_ + "_group " + name_ + "_groups[] = {\n";
    for (index_t g = 0; g < layer.groups; ++g) {
      text_ += "    {\n";
      for_each_array(group_of(layer, g), quads,
                     [&](std::string_view, auto* from, index_t count, index_t line) {
                       if (from == nullptr) return;
                       text_ += "        {\n";
                       elements(from, count, line, "            ", text_);
                       text_ += "        },\n";
                     });
      text_ += "    },\n";
    }
    text_ += "};\n";
  }

  // The layer itself: a constant expression that names the members it sets.

  void set(std::string_view member, std::string_view value) {
    text_.append("  l.").append(member).append(" = ").append(value) += ";\n";
  }
  void set(std::string_view member, index_t value) {
    set(member, std::string_view(std::to_string(value)));
  }

  void set_params(const std::string& member, affine_params p, affine_params unless) {
    if (p.scale == unless.scale && p.zero_point == unless.zero_point) return;
    set(member, "{" + exact_float(p.scale) + ", " + std::to_string(p.zero_point) + "}");
  }

  /// @param prefix  of members that stand within another
  void set_linear(const packed_linear_view& l, const std::string& prefix, bool has_groups) {
    set(prefix + "out_features", l.out_features);
    set(prefix + "in_features", l.in_features);
    set(prefix + "tile_columns", l.tile_columns);
    if (l.k_group != 4) set(prefix + "k_group", l.k_group);
    set(prefix + "has_minus_128", l.has_minus_128);
    for_each_array(l, 0, [&](std::string_view part, const void* from, index_t, index_t) {
      if (from == nullptr) return;
      set(prefix + std::string(part),
          name_ + (has_groups ? "_groups[0]." : "_") + std::string(part));
    });
    set(prefix + "options.act", source_name(l.options.act));
    set_params(prefix + "options.input", l.options.input, {0.0f, 0});
    set_params(prefix + "options.output", l.options.output, {0.0f, 0});
    set(prefix + "options.rule", source_name(l.options.rule));
  }
  void set_window(const window& w) {
    set("window.height", w.height);
    set("window.width", w.width);
    set("window.stride_y", w.stride_y);
    set("window.stride_x", w.stride_x);
    set("window.dilation_y", w.dilation_y);
    set("window.dilation_x", w.dilation_x);
    set("window.pad_top", w.pad_top);
    set("window.pad_bottom", w.pad_bottom);
    set("window.pad_left", w.pad_left);
    set("window.pad_right", w.pad_right);
  }

  void set_members(const packed_linear_view& l) { set_linear(l, "", false); }
  void set_members(const packed_low_bit_linear_view& l) {
    set_linear(l.base, "base.", false);
    set("bits", l.bits);
    set("has_zero_points", l.has_zero_points);
  }
  void set_members(const packed_conv2d_view& l) {
    set("out_channels", l.out_channels);
    set("in_channels", l.in_channels);
    set("groups", l.groups);
    set_window(l.window);
    set("taps", source_name(l.taps));
    set_linear(l.first_group, "first_group.", l.groups > 1);
    if (l.groups > 1) set("group_bytes", "sizeof(" + name_ + "_group)");
  }
  void set_members(const packed_depthwise_view& l) {
    set("out_channels", l.out_channels);
    set("multiplier", l.multiplier);
    set_window(l.window);
    set("variants", l.variants);
    set_linear(l.outputs, "outputs.", false);
  }

  static const char* type_of(const packed_linear_view&) { return "pare::packed_linear_view"; }
  static const char* type_of(const packed_low_bit_linear_view&) {
    return "pare::packed_low_bit_linear_view";
  }
  static const char* type_of(const packed_conv2d_view&) { return "pare::packed_conv2d_view"; }
  static const char* type_of(const packed_depthwise_view&) { return "pare::packed_depthwise_view"; }

  template <class Layer>
  void add_object(const Layer& layer) {
    const std::string type = type_of(layer);
    text_ += "inline constexpr " + type + " " + name_ + " = [] {\n  " + type + " l;\n";
    set_members(layer);
    text_ += "  return l;\n}();\n";
  }

  const c_source_options& options_;
  std::string name_;
  std::string text_;
};

inline status check_c_source(const std::vector<named_layer>& layers,
                             const c_source_options& options) {
  if (!is_namespace_name(options.namespace_name)) {
    return {status_code::invalid_argument,
            "the namespace is not made of free C++ identifiers and ::, or is one of others",
            "namespace_name"};
  }
  if (!options.include_guard.empty() && !is_free_identifier(options.include_guard)) {
    return {status_code::invalid_argument, "the include guard is no free C++ identifier",
            "include_guard"};
  }
  const index_t a = options.alignment;
  if (a < 4 || a > 4096 || (a & (a - 1)) != 0) {
    return {status_code::out_of_range, "the alignment is a power of two from 4 to 4096",
            "alignment"};
  }
  if (static_cast<unsigned>(options.target) >= std::size(all_isas)) {
    return {status_code::invalid_argument, "the target is none of the instruction sets", "target"};
  }
  const auto is_comment = [](std::string_view text) {
    // A backslash at the end of a line would swallow the next one.
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if ((c < 0x20 && c != '\n') || c == 0x7f) return false;
      if (c == '\\' && (i + 1 == text.size() || text[i + 1] == '\n')) return false;
    }
    return true;
  };
  if (!is_comment(options.provenance)) {
    return {status_code::invalid_argument,
            "a comment has printable characters, and no line that ends in a backslash",
            "provenance"};
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto row = static_cast<index_t>(i);
    if (!is_free_identifier(layers[i].name)) {
      return {status_code::invalid_argument, "the name of a layer is no free C++ identifier",
              "name", position_kind::row, row};
    }
    if (!is_comment(layers[i].comment)) {
      return {status_code::invalid_argument,
              "a comment has printable characters, and no line that ends in a backslash", "comment",
              position_kind::row, row};
    }
    bool is_new = names.insert(layers[i].name).second;
    for (const char* part : {"panels", "sums", "scales", "bias", "bias_codes", "factors",
                             "multipliers", "shifts", "group", "groups"}) {
      is_new = names.insert(layers[i].name + "_" + part).second && is_new;
    }
    if (!is_new) {
      return {status_code::invalid_argument,
              "two layers have one name, or one is called as an array of another", "name",
              position_kind::row, row};
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The text of a header with these layers.
///
/// For a layer `fc1` it holds the arrays `fc1_panels`, `fc1_sums`, ... and the object `fc1`, of type
/// `packed_linear_view`, `packed_low_bit_linear_view`, `packed_conv2d_view` or
/// `packed_depthwise_view`. Sizes, scales and zero points stand in comments.
///
/// @param layers   packed for any machine
/// @param options  see `c_source_options`
/// @return `invalid_argument` for names that are no free identifiers or not unique, for comments
///         that would not stay comments and for layers that were not packed (with the layer's
///         index); `out_of_range` for the alignment; `empty` for a layer without weights;
///         `overflow`, `out_of_memory`
[[nodiscard]] inline result<std::string> write_c_source(
    const std::vector<named_layer>& layers, const c_source_options& options = {}) noexcept {
  return detail::without_exceptions<result<std::string>>("layers", [&]() -> result<std::string> {
    PARE_RETURN_IF_ERROR(detail::check_c_source(layers, options));
    detail::c_source_writer writer(options);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const status s = std::visit([&](const auto& layer) { return writer.add(layers[i], layer); },
                                  layers[i].layer);
      if (!s) {
        return {s.code(), s.error().message, s.error().subject, position_kind::row,
                static_cast<index_t>(i)};
      }
    }
    return writer.take(layers);
  });
}

/// Writes the header to a file. A file that is there stays as it was until the call succeeds.
///
/// @return as `write_c_source`, or `io`
[[nodiscard]] inline status save_c_source(const std::filesystem::path& path,
                                          const std::vector<named_layer>& layers,
                                          const c_source_options& options = {}) noexcept {
  const auto text = write_c_source(layers, options);
  if (!text) return text.error();
  return detail::without_exceptions<status>("path", [&] {
    return detail::replace_file(
        path, [&](detail::file& out) { return out.write(text->data(), text->size()); });
  });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_IO_WRITE_C_SOURCE_HPP
