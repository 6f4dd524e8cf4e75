// Compressed networks as they run: each layer in the form a compressor gave it, through the
// library's kernel for that form.
#ifndef PARE_EXAMPLES_DEMO_NETWORK_HPP
#define PARE_EXAMPLES_DEMO_NETWORK_HPP

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pare/core/subview.hpp>
#include <pare/kernels/low_rank_linear.hpp>
#include <pare/kernels/sparse_linear.hpp>
#include <pare/layers/linear.hpp>
#include <pare/prune/sparsify.hpp>

#include "mlp.hpp"

namespace demo {

/// For calls that cannot fail here unless the program is wrong: ends in main's error message.
inline void check(const pare::status& s) {
  if (!s) throw std::runtime_error(std::string(s.error().subject) + ": " + s.error().message);
}

/// Pictures in both forms that networks read.
struct pictures {
  pare::matrix_view<const float> inputs;         ///< [rows, pixels], in [0, 1]
  pare::matrix_view<const std::uint8_t> pixels;  ///< [rows, pixels], as the file has them

  /// The pictures [first, first + rows).
  pictures rows(pare::index_t first, pare::index_t rows) const {
    const pare::range chosen{first, first + rows};
    return {pare::subview(inputs, chosen, pare::all), pare::subview(pixels, chosen, pare::all)};
  }
};

/// No call runs more pictures at once.
inline constexpr pare::index_t most_rows = 256;

/// A network ready to run, whatever its form.
struct runnable {
  /// Logits [rows, classes] of up to `most_rows` pictures. Allocates nothing.
  std::function<void(const pictures&, pare::matrix_view<float> logits)> run;
  pare::index_t bytes = 0;  ///< of what has to be stored: weights and all that belongs to them
  pare::index_t packed_bytes = 0;  ///< of the same in memory while it runs, padding included
  std::string stored;              ///< what `bytes` counts
};

// --- layers with float activations ---

struct int8_layer {
  pare::linear_layer packed;
};

struct sparse_layer {
  pare::csr_matrix<float> weight;
  pare::tensor<float, 1> bias;
  pare::activation act;
};

struct low_rank_layer {
  pare::tensor<float, 2> left, right;  ///< [out, rank] and [rank, in]
  pare::tensor<float, 1> bias;
  pare::activation act;

  pare::low_rank_view<float> weight() const { return {left.view(), right.view()}; }
};

using float_matrix = pare::matrix_view<const float>;

inline pare::status run(const int8_layer& layer, float_matrix x, pare::matrix_view<float> y,
                        pare::workspace scratch) {
  return pare::linear(x, layer.packed, y, scratch);
}
inline pare::status run(const sparse_layer& layer, float_matrix x, pare::matrix_view<float> y,
                        pare::workspace) {
  return pare::linear(x, layer.weight.view(), layer.bias.view(), y, layer.act);
}
inline pare::status run(const low_rank_layer& layer, float_matrix x, pare::matrix_view<float> y,
                        pare::workspace scratch) {
  return pare::linear(x, layer.weight(), layer.bias.view(), y, scratch, layer.act);
}

inline pare::index_t out_features(const int8_layer& l) { return l.packed.out_features(); }
inline pare::index_t out_features(const sparse_layer& l) { return l.weight.rows(); }
inline pare::index_t out_features(const low_rank_layer& l) { return l.left.extent(0); }

inline pare::index_t scratch_bytes(const int8_layer& l) {
  return pare::linear_workspace_size(l.packed.in_features(), most_rows).value();
}
inline pare::index_t scratch_bytes(const sparse_layer&) { return 0; }
inline pare::index_t scratch_bytes(const low_rank_layer& l) {
  return pare::low_rank_workspace_size(l.left.extent(1), most_rows).value();
}

/// Layers of any form in a row, f32 between them.
class float_network {
 public:
  using layer = std::variant<int8_layer, sparse_layer, low_rank_layer>;

  explicit float_network(std::vector<layer> layers) : layers_(std::move(layers)) {
    pare::index_t most_scratch = 0;
    for (const layer& l : layers_) {
      std::visit(
          [&](const auto& form) {
            outputs_.push_back(pare::tensor<float, 2>({most_rows, out_features(form)}));
            most_scratch = std::max(most_scratch, scratch_bytes(form));
          },
          l);
    }
    scratch_ = pare::tensor<std::byte, 1>({most_scratch});
  }

  void run(const pictures& p, pare::matrix_view<float> logits) {
    const pare::index_t rows = p.inputs.extent(0);
    float_matrix x = p.inputs;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const bool is_last = i + 1 == layers_.size();
      const auto y =
          is_last ? logits : pare::subview(outputs_[i].view(), pare::range{0, rows}, pare::all);
      const pare::workspace scratch(scratch_.data(), scratch_.size());
      check(
          std::visit([&](const auto& form) { return demo::run(form, x, y, scratch); }, layers_[i]));
      x = y;
    }
  }

 private:
  std::vector<layer> layers_;
  std::vector<pare::tensor<float, 2>> outputs_;
  pare::tensor<std::byte, 1> scratch_;
};

// --- 8 bit from the pixels to the last layer ---

/// Pixels in, u8 codes between the layers, float logits out.
class int8_network {
 public:
  explicit int8_network(std::vector<pare::linear_layer> layers) : layers_(std::move(layers)) {
    for (const pare::linear_layer& l : layers_) {
      codes_.push_back(pare::tensor<std::uint8_t, 2>({most_rows, l.out_features()}));
    }
  }

  void run(const pictures& p, pare::matrix_view<float> logits) {
    const pare::index_t rows = p.pixels.extent(0);
    pare::matrix_view<const std::uint8_t> x = p.pixels;
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i) {
      const auto y = pare::subview(codes_[i].view(), pare::range{0, rows}, pare::all);
      check(pare::linear(x, layers_[i], y));
      x = y;
    }
    check(pare::linear(x, layers_.back(), logits));
  }

 private:
  std::vector<pare::linear_layer> layers_;
  std::vector<pare::tensor<std::uint8_t, 2>> codes_;
};

/// Either of the above as a `runnable`.
template <class Network, class Layers>
runnable make_runnable(Layers layers, pare::index_t bytes, pare::index_t packed_bytes,
                       const char* stored) {
  auto network = std::make_shared<Network>(std::move(layers));
  auto run = [network](const pictures& p, pare::matrix_view<float> logits) {
    network->run(p, logits);
  };
  return {std::move(run), bytes, packed_bytes, stored};
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_NETWORK_HPP
