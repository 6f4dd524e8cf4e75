// int8 convolutions, depthwise, 1x1 and others, against the machine's own limit and oneDNN, over
// layers of MobileNet and ResNet.
//
// Bound of a row: what the dot-product instructions can do. A depthwise 3x3 window fills three of
// four bytes, and reads and writes a byte for every nine products: its bound is far away.
#include <pare/core/thread_team.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "support/conv_peers.hpp"
#include "support/machine.hpp"
#include "support/peers.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;
using pare_bench::conv_shape;
using pare_bench::conv_source;

constexpr conv_shape shapes[] = {
    {112, 112, 32, 32, 3, 1, 1, true},  {56, 56, 128, 128, 3, 1, 1, true},
    {14, 14, 512, 512, 3, 1, 1, true},  {112, 112, 64, 64, 3, 2, 1, true},
    {112, 112, 32, 64, 1, 1, 0, false}, {56, 56, 128, 128, 1, 1, 0, false},
    {28, 28, 256, 256, 1, 1, 0, false}, {14, 14, 512, 512, 1, 1, 0, false},
    {7, 7, 1024, 1024, 1, 1, 0, false}, {56, 56, 64, 64, 3, 1, 1, false},
    {14, 14, 256, 256, 3, 1, 1, false}, {224, 224, 3, 32, 3, 2, 1, false},
};

const char* title(const conv_shape& s) {
  return s.depthwise ? "depthwise -> s8" : s.window == 1 ? "1x1 -> s8" : "3x3 -> s8";
}

std::string name_of(const conv_shape& s, conv_source source) {
  std::string name = source == conv_source::s8 ? "s8 " : "u8 ";
  if (s.depthwise) name += "depthwise ";
  name += std::to_string(s.window) + "x" + std::to_string(s.window) + " ";
  name += std::to_string(s.height) + "x" + std::to_string(s.width) + "x";
  name += std::to_string(s.in_channels);
  if (!s.depthwise) name += "->" + std::to_string(s.out_channels);
  if (s.stride != 1) name += " stride " + std::to_string(s.stride);
  return name;
}

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "convolution: %s\n", s.error().message);
  std::exit(1);
}

/// Our side of a row: a packed layer with operands. Signed or unsigned inputs, the same bytes.
struct work {
  conv_shape shape;
  pare::conv2d_layer conv;
  pare::depthwise_conv2d_layer depthwise;
  pare::tensor<std::uint8_t, 4> x;
  pare::tensor<std::int8_t, 4> y;
  pare::tensor<std::byte, 1> scratch;

  template <class X>
  pare::status run(const pare::thread_team& team) {
    const auto in = pare::view(reinterpret_cast<const X*>(x.data()), x.extent(0), x.extent(1),
                               x.extent(2), x.extent(3));
    if (shape.depthwise) return pare::depthwise_conv2d(in, depthwise, y.view(), team);
    return pare::conv2d(in, conv, y.view(), pare::workspace(scratch.data(), scratch.size()), team);
  }
};

template <class Options>
Options options_of(const conv_shape& s) {
  Options o;
  o.window.height = o.window.width = s.window;
  o.window.stride_y = o.window.stride_x = s.stride;
  o.window.pad_top = o.window.pad_bottom = o.window.pad_left = o.window.pad_right = s.padding;
  o.input = {0.05f, 3};
  o.output = {0.5f, -4};
  return o;
}

std::shared_ptr<work> make_work(const conv_shape& s) {
  auto w = std::make_shared<work>();
  w->shape = s;
  const index_t inputs = s.depthwise ? 1 : s.in_channels;
  pare::tensor<std::int8_t, 4> codes({s.out_channels, inputs, s.window, s.window});
  std::uint32_t state = 1;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 24; };
  for (auto& c : codes) c = static_cast<std::int8_t>(static_cast<int>(next() % 255) - 127);
  pare::tensor<float, 1> scales({s.out_channels}), bias({s.out_channels});
  for (auto& x : scales) x = 0.001f;
  const pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> view{
      std::as_const(codes).view(), std::as_const(scales).view(), {}, 0};
  if (s.depthwise) {
    const auto o = options_of<pare::depthwise_conv2d_options>(s);
    w->depthwise = pare::pack_depthwise_conv2d(view, bias.view(), o).value();
  } else {
    w->conv = pare::pack_conv2d(view, bias.view(), options_of<pare::conv2d_options>(s)).value();
    const index_t bytes = pare::conv2d_workspace_size(w->conv, s.height, s.width).value();
    w->scratch = pare::tensor<std::byte, 1>({bytes});
  }
  w->x = pare::tensor<std::uint8_t, 4>({1, s.height, s.width, s.in_channels});
  for (auto& x : w->x) x = static_cast<std::uint8_t>(next());
  w->y = pare::tensor<std::int8_t, 4>({1, s.out_height(), s.out_width(), s.out_channels});
  return w;
}

void run_shape(const conv_shape& s, conv_source source, pare::isa isa, const pare_bench::options& o,
               const pare::thread_team& team, pare_bench::report& report) {
  pare_bench::row row;
  row.work = name_of(s, source);
  row.isa = pare::name(isa);
  row.threads = o.threads;
  row.unit = "GOP/s";
  const double operations = 2e-9 * s.products();
  const auto w = make_work(s);
  std::vector<contender> all;
  all.push_back({"ours", operations, [w, source, &team] {
                   must(source == conv_source::s8 ? w->run<std::int8_t>(team)
                                                  : w->run<std::uint8_t>(team));
                 }});
  const auto limit = pare_bench::dot_product_limit_of(isa);
  const bool limited = limit.run != nullptr;
  if (limited) all.push_back({"limit", 1e-9 * limit.operations_per_call, limit.run});
  const std::size_t first_peer = all.size();
  if (o.threads == 1) {
    if (auto peer = pare_bench::onednn_conv(s, source))
      all.push_back({pare_bench::onednn_name(), operations, peer});
  }
  const auto figures = pare_bench::measure(all, o);
  row.ours = figures[0];
  if (limited) row.limit = figures[1] * o.threads;
  for (std::size_t i = first_peer; i < all.size(); ++i)
    row.peers.emplace_back(all[i].name, figures[i]);
  report.add(row);
}

}  // namespace

int main(int argc, char** argv) {
  const auto o =
      pare_bench::parse(argc, argv, "int8 convolutions against the machine's limit and oneDNN");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(o,
                            "convolutions of one NHWC image; operations: 2 for each product of an "
                            "input and a weight, padding included");
  const pare::thread_team team(o.threads);
  for (const pare::isa i : isas) {
    must(pare::set_active_isa(i));
    const char* heading = "";
    for (const conv_shape& s : shapes) {
      for (const conv_source source : {conv_source::s8, conv_source::u8}) {
        if (name_of(s, source).find(o.filter) == std::string::npos) continue;
        if (i == pare::isa::scalar && s.products() > 2e8) continue;  // seconds a call
        if (heading != title(s)) pare_bench::heading(heading = title(s));
        run_shape(s, source, i, o, team, report);
      }
    }
  }
  return report.finish();
}
