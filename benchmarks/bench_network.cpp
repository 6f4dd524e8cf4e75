// Whole int8 networks, operator after operator, as an application would run them: MobileNet v1 and
// the depthwise-separable keyword spotter of "Hello Edge". Random weights: time does not depend on
// them.
//
// Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
// Applications", 2017, arXiv:1704.04861. Zhang et al., "Hello Edge: Keyword Spotting on
// Microcontrollers", 2017, arXiv:1711.07128.
//
// Bound of a row: what the dot-product instructions can do. Depthwise layers, a few percent of the
// products, cannot come near it.
#include <pare/core/thread_team.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/linear.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <variant>
#include <vector>

#include "support/machine.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;

constexpr pare::affine_params activations{0.05f, -3};

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "network: %s\n", s.error().message);
  std::exit(1);
}

std::int8_t next_code() {
  static std::uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return static_cast<std::int8_t>(static_cast<int>((state >> 24) % 255) - 127);
}

/// A network as a list of layers, each from one image to the next.
class network {
 public:
  network(index_t height, index_t width, index_t channels) : h_(height), w_(width), c_(channels) {
    largest_ = h_ * w_ * c_;
  }

  void conv(index_t out, index_t height, index_t width, index_t stride) {
    pare::conv2d_options o = options<pare::conv2d_options>(height, width, stride);
    const auto w = codes(out, c_, height, width);
    layers_.emplace_back(pare::pack_conv2d(view(w), pare::vector_view<const float>{}, o).value());
    const auto& layer = std::get<pare::conv2d_layer>(layers_.back());
    scratch_ = std::max(scratch_, pare::conv2d_workspace_size(layer, h_, w_).value());
    step(o.window, out, out * c_ * height * width);
  }
  void depthwise(index_t stride) {
    auto o = options<pare::depthwise_conv2d_options>(3, 3, stride);
    const auto w = codes(c_, 1, 3, 3);
    layers_.emplace_back(
        pare::pack_depthwise_conv2d(view(w), pare::vector_view<const float>{}, o).value());
    step(o.window, c_, c_ * 9);
  }
  /// Global average, fully connected, softmax.
  void classify(index_t classes) {
    const auto w = codes(classes, c_, 1, 1);
    const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> w2{
        pare::view(w.data(), classes, c_), scales(), {}, pare::per_tensor};
    pare::linear_options o;
    o.input = o.output = activations;
    classifier_ = pare::pack_linear(w2, pare::vector_view<const float>{}, o).value();
    products_ += static_cast<double>(classes * c_);
    a_ = pare::tensor<std::int8_t, 1>({largest_});
    b_ = pare::tensor<std::int8_t, 1>({largest_});
    mean_ = pare::tensor<std::int8_t, 2>({1, c_});
    logits_ = pare::tensor<std::int8_t, 2>({1, classes});
    memory_ = pare::tensor<std::byte, 1>({scratch_});
    std::generate(a_.begin(), a_.end(), next_code);
  }

  double products() const { return products_; }

  void run(const pare::thread_team& team) {
    std::int8_t *from = a_.data(), *to = b_.data();
    const pare::workspace scratch(memory_.data(), memory_.size());
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const auto x = pare::view(static_cast<const std::int8_t*>(from), 1, shapes_[i].h,
                                shapes_[i].w, shapes_[i].c);
      const auto y = pare::view(to, 1, shapes_[i].out_h, shapes_[i].out_w, shapes_[i].out_c);
      if (const auto* layer = std::get_if<pare::conv2d_layer>(&layers_[i])) {
        must(pare::conv2d(x, *layer, y, scratch, team));
      } else {
        must(
            pare::depthwise_conv2d(x, std::get<pare::depthwise_conv2d_layer>(layers_[i]), y, team));
      }
      std::swap(from, to);
    }
    const auto mean =
        pare::make_global_average_pool_params<std::int8_t>(activations, activations).value();
    must(pare::global_average_pool(pare::view(static_cast<const std::int8_t*>(from), 1, h_, w_, c_),
                                   mean, mean_.view()));
    must(pare::linear(mean_.view(), classifier_, logits_.view()));
    must(pare::softmax(logits_.view(), pare::make_softmax_params(0.05f).value(), logits_.view()));
  }

 private:
  struct shape {
    index_t h, w, c, out_h, out_w, out_c;
  };

  template <class Options>
  Options options(index_t height, index_t width, index_t stride) const {
    Options o;
    o.window = pare::same_padding({height, width, stride, stride}, h_, w_).value();
    o.act = pare::activation::relu;
    o.input = o.output = activations;
    return o;
  }
  static pare::tensor<std::int8_t, 4> codes(index_t out, index_t in, index_t height,
                                            index_t width) {
    pare::tensor<std::int8_t, 4> w({out, in, height, width});
    std::generate(w.begin(), w.end(), next_code);
    return w;
  }
  static pare::vector_view<const float> scales() {
    static const float scale = 0.0005f;
    return pare::view(&scale, 1);
  }
  static pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> view(
      const pare::tensor<std::int8_t, 4>& w) {
    return {w.view(), scales(), {}, pare::per_tensor};
  }
  void step(const pare::window& window, index_t out, index_t products_of_pixel) {
    const index_t h = pare::output_height(window, h_).value();
    const index_t w = pare::output_width(window, w_).value();
    shapes_.push_back({h_, w_, c_, h, w, out});
    products_ += static_cast<double>(h * w) * static_cast<double>(products_of_pixel);
    h_ = h, w_ = w, c_ = out;
    largest_ = std::max(largest_, h * w * out);
  }

  index_t h_, w_, c_, largest_ = 0, scratch_ = 0;
  double products_ = 0;
  std::vector<std::variant<pare::conv2d_layer, pare::depthwise_conv2d_layer>> layers_;
  std::vector<shape> shapes_;
  pare::linear_layer classifier_;
  pare::tensor<std::int8_t, 1> a_, b_;
  pare::tensor<std::int8_t, 2> mean_, logits_;
  pare::tensor<std::byte, 1> memory_;
};

/// @param size   of the image's sides
/// @param width  of the layers, in percent
std::shared_ptr<network> mobilenet(index_t size, index_t width) {
  auto n = std::make_shared<network>(size, size, 3);
  const auto channels = [width](index_t c) { return std::max<index_t>(8, c * width / 100); };
  n->conv(channels(32), 3, 3, 2);
  constexpr struct {
    index_t stride, out;
  } blocks[] = {{1, 64},  {2, 128}, {1, 128}, {2, 256}, {1, 256},  {2, 512}, {1, 512},
                {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024}};
  for (const auto& block : blocks) {
    n->depthwise(block.stride);
    n->conv(channels(block.out), 1, 1, 1);
  }
  n->classify(1000);
  return n;
}

/// 49 frames of 10 coefficients, 12 words.
std::shared_ptr<network> keyword_spotter() {
  auto n = std::make_shared<network>(49, 10, 1);
  n->conv(64, 10, 4, 2);
  for (int block = 0; block < 4; ++block) {
    n->depthwise(1);
    n->conv(64, 1, 1, 1);
  }
  n->classify(12);
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(argc, argv, "whole int8 networks against the machine's limit");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(o, "networks, one image at a time; operations: 2 for each product");
  const pare::thread_team team(o.threads);
  struct entry {
    const char* name;
    std::shared_ptr<network> (*make)();
  };
  constexpr entry entries[] = {
      {"MobileNet v1 1.0 224", [] { return mobilenet(224, 100); }},
      {"MobileNet v1 0.5 160", [] { return mobilenet(160, 50); }},
      {"MobileNet v1 0.25 128", [] { return mobilenet(128, 25); }},
      {"keyword spotter DS-CNN", keyword_spotter},
  };
  for (const pare::isa i : isas) {
    must(pare::set_active_isa(i));
    for (const entry& e : entries) {
      if (std::string(e.name).find(o.filter) == std::string::npos) continue;
      const auto n = e.make();
      const double operations = 2e-9 * n->products();
      std::vector<pare_bench::contender> all{{"ours", operations, [n, &team] { n->run(team); }}};
      const auto limit = pare_bench::dot_product_limit_of(i);
      if (limit.run != nullptr)
        all.push_back({"limit", 1e-9 * limit.operations_per_call, limit.run});
      const auto figures = pare_bench::measure(all, o);
      pare_bench::row row;
      row.work = e.name;
      row.isa = pare::name(i);
      row.threads = o.threads;
      row.unit = "GOP/s";
      row.ours = figures[0];
      if (all.size() > 1) row.limit = figures[1] * o.threads;
      report.add(row);
      std::printf("  %.0f us an image\n", 1e6 * operations / figures[0]);
    }
  }
  return report.finish();
}
