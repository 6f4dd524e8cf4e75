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

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <pare/core/tensor.hpp>
#include <pare/io/detail/c_source_text.hpp>
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

// --- words of the library ---

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

constexpr const char* source_name(grouped_arithmetic a) noexcept {
  return a == grouped_arithmetic::floating ? "pare::grouped_arithmetic::floating"
                                           : "pare::grouped_arithmetic::integer";
}

/// The type of a layer's object, and the header that has it.
struct layer_type {
  const char* name;
  const char* header;  ///< in pare/, without its ending
};
template <class Layer>
inline constexpr layer_type type_of_layer{};
template <>
inline constexpr layer_type type_of_layer<packed_linear_view>{"pare::packed_linear_view",
                                                              "format/packed_linear"};
template <>
inline constexpr layer_type type_of_layer<packed_low_bit_linear_view>{
    "pare::packed_low_bit_linear_view", "format/packed_low_bit_linear"};
template <>
inline constexpr layer_type type_of_layer<packed_conv2d_view>{"pare::packed_conv2d_view",
                                                              "format/packed_conv2d"};
template <>
inline constexpr layer_type type_of_layer<packed_depthwise_view>{"pare::packed_depthwise_view",
                                                                 "format/packed_depthwise"};
template <>
inline constexpr layer_type type_of_layer<packed_grouped_linear_view>{
    "pare::packed_grouped_linear_view", "format/packed_grouped_linear"};
template <>
inline constexpr layer_type type_of_layer<packed_offset_grouped_linear_view>{
    "pare::packed_offset_grouped_linear_view", "format/offset_grouped"};
template <>
inline constexpr layer_type type_of_layer<packed_sparse_linear_view>{
    "pare::packed_sparse_linear_view", "format/packed_sparse_linear"};
template <>
inline constexpr layer_type type_of_layer<low_rank_view<float>>{"pare::low_rank_view<float>",
                                                                "format/low_rank"};
template <>
inline constexpr layer_type type_of_layer<bcsr_view<float>>{"pare::bcsr_view<float>",
                                                            "format/bcsr"};
template <>
inline constexpr layer_type type_of_layer<vector_view<const float>>{
    "pare::vector_view<const float>", "core/tensor_view"};

/// An array of a layer, as it is written.
struct source_array {
  std::string_view part;    ///< its name: that of the layer, _, and this
  std::string_view member;  ///< of the layer's type; empty: set elsewhere
  index_t in_a_line;        ///< elements
  index_t lines_from = 0;   ///< elements after which lines begin anew; 0: never
};

/// f(array, pointer, count) for the arrays that a linear layer may have; `quads`: of its panels.
template <class F>
void for_each_linear_array(const packed_linear_view& l, index_t quads, const F& f) {
  const index_t n = padded_columns(l);
  f(source_array{"panels", "panels", l.tile_columns * 4}, l.panels, n * quads * 4);
  f(source_array{"sums", "sums", 8}, l.sums, n);
  f(source_array{"scales", "scales", 4}, l.scales, n);
  f(source_array{"bias", "bias", 4}, l.bias, n);
  f(source_array{"bias_codes", "bias_codes", 8}, l.bias_codes, n);
  f(source_array{"factors", "factors", 4}, l.factors, n);
  f(source_array{"multipliers", "multipliers", 8}, l.multipliers, n);
  f(source_array{"shifts", "shifts", 8}, l.shifts, n);
}

/// f(array, pointer, count) for the arrays that a layer may have, those of a group where there are
/// groups. Arrays that it has not are null or empty.
template <class Layer, class F>
void for_each_array(const Layer& l, const F& f) {
  if constexpr (std::is_same_v<Layer, packed_grouped_linear_view>) {
    const index_t group_bytes = l.group_bytes() * l.tile_columns, n = l.panels_count();
    f(source_array{"panels", "panels", l.tile_columns * 4, group_bytes}, l.panels,
      n * l.panel_bytes());
    f(source_array{"sums", "sums", 4}, l.sums, n * l.tile_columns);
    f(source_array{"bias", "bias", 4}, l.bias, n * l.tile_columns);
  } else if constexpr (std::is_same_v<Layer, packed_offset_grouped_linear_view>) {
    for_each_array(l.base, f);
    f(source_array{"offsets", "offsets", 4, l.offset_stride()}, l.offsets,
      l.offset_stride() * l.base.groups());
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    for_each_array(l.weights, f);
    for_each_linear_array(l.base, 0, f);
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    f(source_array{"left", "", 4}, l.left.data_handle(), count_of(l.left));
    f(source_array{"right", "", 4}, l.right.data_handle(), count_of(l.right));
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    f(source_array{"values", "", 4}, l.data_handle(), count_of(l));
  } else if constexpr (is_dense_layer<Layer>) {
    for_each_linear_array(linear_part(l), quads_of(l), f);
  } else {
    const index_t block = index_t{l.shape.block_rows} * l.shape.block_columns;
    f(source_array{"values", "values", block % 4 == 0 ? block : 4}, l.values, l.blocks() * block);
    f(source_array{"block_columns", "block_columns", 16}, l.block_columns, l.blocks());
    f(source_array{"block_offsets", "block_offsets", 8}, l.block_offsets, l.lines() + 1);
  }
}

/// Whether an array is the one that kernels read in whole registers.
inline bool is_weights(const source_array& a) {
  return a.part == "panels" || a.part == "values" || a.part == "left" || a.part == "right";
}

/// The last word of a qualified name.
inline std::string_view bare(std::string_view name) { return name.substr(name.rfind(':') + 1); }

// --- the writer ---

/// The text of a header, layer by layer.
class c_source_writer {
 public:
  explicit c_source_writer(const c_source_options& options) : options_(options) {}

  std::string take(const std::vector<named_layer>& layers) {
    std::set<std::string> headers;
    for (const named_layer& l : layers) {
      headers.insert(std::visit(
          [](const auto& layer) { return type_of_layer<std::decay_t<decltype(layer)>>.header; },
          l.layer));
    }
    if (layers.empty()) headers.insert("format/packed_linear");
    std::string head;
    if (!options_.provenance.empty()) comment(options_.provenance, head), head += "//\n";
    head += "// Written by pare " PARE_VERSION_STRING "; do not edit. Weights are packed for " +
            std::string(name(options_.target)) + " kernels.\n// clang-format off\n";
    const std::string guard =
        options_.include_guard.empty() ? guard_of(options_.namespace_name) : options_.include_guard;
    head += "#ifndef " + guard + "\n#define " + guard + "\n\n";
    for (const std::string& h : headers) head += "#include <pare/" + h + ".hpp>\n";
    head += "\nnamespace " + options_.namespace_name + " {\n";
    return head + text_ + "\n}  // namespace " + options_.namespace_name + "\n\n#endif  // " +
           guard + "\n";
  }

  /// Packs the layer for the target and writes it.
  template <class Layer>
  status add(const named_layer& named, const Layer& layer) {
    if (!has_parts(layer)) {
      return {status_code::invalid_argument, "the layer has no weights: it was not packed",
              "layer"};
    }
    if (outputs_of(layer) == 0 || inputs_of(layer) == 0) {
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
    if (groups_of(*repacked) == 1) add_arrays(*repacked);
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
  static std::string sizes(index_t in, index_t out) {
    return std::to_string(in) + " -> " + std::to_string(out);
  }
  static std::string summary(const packed_grouped_linear_view& l) {
    return "linear, " + sizes(l.in_features, l.out_features) + ", " + std::to_string(l.bits) +
           "-bit weights in groups of " + std::to_string(l.group);
  }
  static std::string summary(const packed_offset_grouped_linear_view& l) {
    return summary(l.base) + " with offsets";
  }
  static std::string blocks(const bcsr_shape& s, index_t count) {
    return std::to_string(count) + " blocks of " + std::to_string(s.block_rows) + " x " +
           std::to_string(s.block_columns);
  }
  static std::string summary(const packed_sparse_linear_view& l) {
    return "linear, " + sizes(l.base.in_features, l.base.out_features) + ", 8-bit weights in " +
           blocks(l.weights.shape, l.weights.blocks());
  }
  static std::string summary(const bcsr_view<float>& l) {
    return "linear, " + sizes(l.columns, l.rows) + ", float weights in " +
           blocks(l.shape, l.blocks());
  }
  static std::string summary(const low_rank_view<float>& l) {
    return "linear, " + sizes(l.in_features(), l.out_features()) + ", float weights of rank " +
           std::to_string(l.rank());
  }
  static std::string summary(const vector_view<const float>& v) {
    return std::to_string(v.size()) + " floats";
  }
  static std::string codes(affine_params p) {
    return "scale " + short_float(p.scale) + ", zero point " + std::to_string(p.zero_point);
  }

  template <class Layer>
  void describe(const Layer& layer) {
    index_t bytes = 0;
    for_each_array(layer, [&](const source_array&, auto* from, index_t count) {
      if (from != nullptr) bytes += count * static_cast<index_t>(sizeof(*from));
    });
    bytes *= groups_of(layer);
    text_ += "// " + name_ + ": " + summary(layer);
    if constexpr (is_grouped_layer<Layer>) {
      describe_activation(activation_of(layer));
      describe_bytes(bytes, grouped_part(layer).tile_columns);
    } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
      describe_activation(layer.base.options.act);
      describe_bytes(bytes, 0);
      describe_codes(layer.base.options);
    } else if constexpr (is_dense_layer<Layer>) {
      const packed_linear_view& l = linear_part(layer);
      describe_activation(l.options.act);
      describe_bytes(bytes, l.tile_columns);
      describe_codes(l.options);
    } else {
      describe_bytes(bytes, 0);
    }
  }
  void describe_activation(activation a) {
    if (a != activation::none) text_.append(", ").append(bare(source_name(a)));
  }
  /// @param tile  of the panels; 0: there are none
  void describe_bytes(index_t bytes, std::int32_t tile) {
    text_ += "; " + std::to_string(bytes) + " bytes";
    if (tile != 0) text_ += " in panels of " + std::to_string(tile) + " outputs";
    text_ += ".\n";
  }
  void describe_codes(const linear_options& o) {
    if (o.input.scale != 0.0f) text_ += "// Inputs: " + codes(o.input) + ".\n";
    if (o.output.scale != 0.0f) {
      text_ += "// Outputs: " + codes(o.output) + ", rounded by ";
      text_.append(bare(source_name(o.rule))) += ".\n";
    }
  }

  // Arrays.

  template <class T>
  static void elements(const source_array& a, const T* from, index_t count, std::string_view indent,
                       std::string& to) {
    constexpr std::size_t width = 100;
    std::string line;
    for (index_t i = 0; i < count; ++i) {
      const index_t at = a.lines_from == 0 ? i : i % a.lines_from;
      const std::string next = literal_of(from[i]) + ',';
      const bool is_full = indent.size() + line.size() + 1 + next.size() > width;
      if (!line.empty() && (at % a.in_a_line == 0 || is_full)) {
        to.append(indent).append(line) += '\n';
        line.clear();
      }
      if (!line.empty()) line += ' ';
      line += next;
    }
    to.append(indent).append(line) += '\n';
  }

  std::string alignment() const { return "alignas(" + std::to_string(options_.alignment) + ") "; }

  template <class Layer>
  void add_arrays(const Layer& layer) {
    for_each_array(layer, [&](const source_array& a, auto* from, index_t count) {
      using element = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
      if (from == nullptr || count == 0) return;
      if (is_weights(a)) text_ += alignment();
      text_.append("inline constexpr ").append(type_name<element>()) += ' ';
      text_.append(name_).append("_").append(a.part) += "[] = {\n";
      elements(a, from, count, "    ", text_);
      text_ += "};\n";
    });
  }

  /// The groups of a convolution lie a fixed distance apart, as elements of one array.
  void add_groups(const packed_conv2d_view& layer) {
    text_ += "struct " + name_ + "_group {\n";
    for_each_array(layer, [&](const source_array& a, auto* from, index_t count) {
      using element = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
      if (from == nullptr) return;
      text_ += "  " + (is_weights(a) ? alignment() : "") + type_name<element>();
      text_.append(" ").append(a.part) += "[" + std::to_string(count) + "];\n";
    });
    text_ += "};\ninline constexpr " + name_ + "_group " + name_ + "_groups[] = {\n";
    for (index_t g = 0; g < layer.groups; ++g) {
      text_ += "    {\n";
      for_each_linear_array(group_of(layer, g), quads_of(layer),
                            [&](const source_array& a, auto* from, index_t count) {
                              if (from == nullptr) return;
                              text_ += "        {\n";
                              elements(a, from, count, "            ", text_);
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
    for_each_linear_array(l, 0, [&](const source_array& a, const void* from, index_t) {
      if (from == nullptr) return;
      set(prefix + std::string(a.member),
          name_ + (has_groups ? "_groups[0]." : "_") + std::string(a.part));
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

  /// @param prefix  of members that stand within another
  void set_grouped(const packed_grouped_linear_view& l, const std::string& prefix) {
    set(prefix + "out_features", l.out_features);
    set(prefix + "in_features", l.in_features);
    set(prefix + "group", l.group);
    set(prefix + "bits", l.bits);
    set(prefix + "tile_columns", l.tile_columns);
    set(prefix + "has_zero_points", l.has_zero_points);
    for (const char* part : {"panels", "sums", "bias"}) set(prefix + part, name_ + "_" + part);
    set(prefix + "options.act", source_name(l.options.act));
    set(prefix + "options.arithmetic", source_name(l.options.arithmetic));
  }
  void set_members(const packed_grouped_linear_view& l) { set_grouped(l, ""); }
  void set_members(const packed_offset_grouped_linear_view& l) {
    set_grouped(l.base, "base.");
    set("offsets", name_ + "_offsets");
    set("act", source_name(l.act));
  }
  template <class T>
  void set_blocks(const bcsr_view<T>& m, const std::string& prefix) {
    set(prefix + "rows", m.rows);
    set(prefix + "columns", m.columns);
    set(prefix + "shape.block_rows", m.shape.block_rows);
    set(prefix + "shape.block_columns", m.shape.block_columns);
    set(prefix + "shape.k_block", m.shape.k_block);
    for_each_array(m, [&](const source_array& a, const void* from, index_t count) {
      if (from == nullptr || count == 0) return;
      set(prefix + std::string(a.member), name_ + "_" + std::string(a.part));
    });
  }
  void set_members(const packed_sparse_linear_view& l) {
    set_linear(l.base, "base.", false);
    set_blocks(l.weights, "weights.");
  }
  void set_members(const bcsr_view<float>& l) { set_blocks(l, ""); }
  void set_matrix(const char* member, const matrix_view<const float>& m) {
    const std::string sizes = std::to_string(m.extent(0)) + ", " + std::to_string(m.extent(1));
    set(member, "pare::matrix_view<const float>(" + (m.empty() ? "nullptr" : name_ + "_" + member) +
                    ", " + sizes + ")");
  }
  void set_members(const low_rank_view<float>& l) {
    set_matrix("left", l.left);
    set_matrix("right", l.right);
  }

  template <class Layer>
  void add_object(const Layer& layer) {
    const std::string type = type_of_layer<Layer>.name;
    if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
      text_ += "inline constexpr " + type + " " + name_ + "(" + name_ + "_values, " +
               std::to_string(layer.size()) + ");\n";
    } else {
      text_ += "inline constexpr " + type + " " + name_ + " = [] {\n  " + type + " l;\n";
      set_members(layer);
      text_ += "  return l;\n}();\n";
    }
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
                             "multipliers", "shifts", "group", "groups", "values", "block_columns",
                             "block_offsets", "left", "right", "offsets"}) {
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
/// For a layer `fc1` it holds the arrays `fc1_panels`, `fc1_sums`, ... and the object `fc1`, of the
/// type that was given: any of `packed_layer`. Sizes, scales and zero points stand in comments.
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
