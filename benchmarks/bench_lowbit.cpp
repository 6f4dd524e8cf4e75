// `linear` with weights of 4 and 2 bits, for each output and in groups, against the machine's own
// limit and our 8 bits.
//
// Bound of a row: the smaller of what the dot-product instructions can do, and what reading each
// weight once from where it lies (cache or memory) allows.
#include <pare/core/thread_team.hpp>
#include <pare/layers/grouped_linear.hpp>
#include <pare/layers/linear.hpp>
#include <pare/layers/low_bit_linear.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/machine.hpp"
#include "support/peers.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;
using pare_bench::product_shape;

constexpr product_shape shapes[] = {
    {1, 1024, 1024}, {1, 4096, 4096}, {8, 1024, 1024}, {32, 1024, 1024}, {128, 1024, 1024},
};

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "linear: %s\n", s.error().message);
  std::exit(1);
}

/// Operands of one shape, and codes that all layers are packed from.
struct operands {
  pare::tensor<std::int8_t, 2> codes4, codes2, x_s8, y_s8;
  pare::tensor<float, 1> scales, bias;
  pare::tensor<float, 2> x_f32, y_f32;
  pare::tensor<std::byte, 1> scratch;

  explicit operands(product_shape s)
      : codes4({s.n, s.k}),
        codes2({s.n, s.k}),
        x_s8({s.m, s.k}),
        y_s8({s.m, s.n}),
        scales({s.n}),
        bias({s.n}),
        x_f32({s.m, s.k}),
        y_f32({s.m, s.n}),
        scratch({2 * pare::linear_workspace_size(s.k, s.m).value()}) {
    std::uint32_t state = 1;
    const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 24; };
    for (auto& c : codes4) c = static_cast<std::int8_t>(static_cast<int>(next() % 16) - 8);
    for (auto& c : codes2) c = static_cast<std::int8_t>(static_cast<int>(next() % 4) - 2);
    for (auto& x : x_s8) x = static_cast<std::int8_t>(next());
    for (auto& x : x_f32) x = static_cast<float>(next()) - 100.0f;
    for (auto& x : scales) x = 0.01f;
  }
  pare::workspace workspace() { return {scratch.data(), scratch.size()}; }
};

pare::linear_options options_for_codes() {
  pare::linear_options o;
  o.input = {0.05f, 3};
  o.output = {0.5f, -4};
  return o;
}

/// What one contender runs, and the bytes of weights that it reads.
struct work {
  std::function<void()> run;
  const void* panels;
  std::size_t bytes;
};

/// Any layer, on s8 or on f32 activations.
template <class Layer>
work run_layer(const std::shared_ptr<operands>& o, Layer packed, bool is_float,
               const pare::thread_team& team, const void* panels, std::size_t bytes) {
  auto layer = std::make_shared<Layer>(std::move(packed));
  if constexpr (!std::is_same_v<Layer, pare::grouped_linear_layer>) {
    if (!is_float) {
      return {[=, &team] {
                must(pare::linear(o->x_s8.view(), layer->view(), o->y_s8.view(), {}, team));
              },
              panels, bytes};
    }
  }
  return {
      [=, &team] {
        must(pare::linear(o->x_f32.view(), layer->view(), o->y_f32.view(), o->workspace(), team));
      },
      panels, bytes};
}

work eight_bits(const std::shared_ptr<operands>& o, bool is_float, const pare::thread_team& team) {
  const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> w{
      std::as_const(o->codes4).view(), std::as_const(o->scales).view(), {}, 0};
  auto layer = pare::pack_linear(w, o->bias.view(), options_for_codes()).value();
  const auto& v = layer.view();
  const void* panels = v.panels;
  const std::size_t bytes = static_cast<std::size_t>(v.panels_count() * v.panel_bytes());
  return run_layer(o, std::move(layer), is_float, team, panels, bytes);
}

work few_bits(const std::shared_ptr<operands>& o, pare::low_bit kind, bool is_float,
              bool has_zero_points, const pare::thread_team& team) {
  auto& codes = kind == pare::low_bit::s4 ? o->codes4 : o->codes2;
  pare::tensor<std::int32_t, 1> zero_points({has_zero_points ? codes.extent(0) : 0});
  for (auto& z : zero_points) z = 1;
  const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> w{
      std::as_const(codes).view(), std::as_const(o->scales).view(),
      std::as_const(zero_points).view(), 0};
  auto layer = pare::pack_low_bit_linear(w, kind, o->bias.view(), options_for_codes()).value();
  const auto& v = layer.view();
  const void* panels = v.base.panels;
  const std::size_t bytes = static_cast<std::size_t>(v.base.panels_count() * v.panel_bytes());
  return run_layer(o, std::move(layer), is_float, team, panels, bytes);
}

work grouped(const std::shared_ptr<operands>& o, int bits, index_t group, bool has_zero_points,
             pare::grouped_arithmetic arithmetic, const pare::thread_team& team) {
  const index_t n = o->codes4.extent(0), groups = o->codes4.extent(1) / group;
  pare::tensor<float, 2> scales({n, groups});
  for (auto& s : scales) s = 0.01f;
  pare::tensor<std::int8_t, 2> zero_points({has_zero_points ? n : 0, has_zero_points ? groups : 0});
  for (auto& z : zero_points) z = 1;
  const pare::grouped_view<float, pare::dextents<index_t, 2>> w{
      std::as_const(o->codes4).view(), std::as_const(scales).view(),
      std::as_const(zero_points).view(), group};
  pare::grouped_linear_options options;
  options.arithmetic = arithmetic;
  auto layer = pare::pack_grouped_linear(w, bits, o->bias.view(), options).value();
  const auto& v = layer.view();
  const void* panels = v.panels;
  const std::size_t bytes = static_cast<std::size_t>(v.panels_count() * v.panel_bytes());
  return run_layer(o, std::move(layer), true, team, panels, bytes);
}
/// Names: g32 for groups of 32 weights, zp for weights with zero points.
using maker = std::function<work(const std::shared_ptr<operands>&, const pare::thread_team& team)>;
struct entry {
  const char* name;
  bool is_float;
  maker make;
};

std::vector<entry> entries() {
  using pare::low_bit;
  const auto integer = pare::grouped_arithmetic::integer,
             floating = pare::grouped_arithmetic::floating;
  const auto channel = [](low_bit kind, bool is_float, bool zero_points) -> maker {
    return [=](const auto& o, const pare::thread_team& team) {
      return few_bits(o, kind, is_float, zero_points, team);
    };
  };
  const auto groups = [](int bits, index_t group, bool zero_points,
                         pare::grouped_arithmetic arithmetic) -> maker {
    return [=](const auto& o, const pare::thread_team& team) {
      return grouped(o, bits, group, zero_points, arithmetic, team);
    };
  };
  return {
      {"s8s4->s8", false, channel(low_bit::s4, false, false)},
      {"s8s4->s8 zp", false, channel(low_bit::s4, false, true)},
      {"s8s2->s8", false, channel(low_bit::s2, false, false)},
      {"f32s4->f32", true, channel(low_bit::s4, true, false)},
      {"f32s2->f32", true, channel(low_bit::s2, true, false)},
      {"f32 x 4 bit g32", true, groups(4, 32, false, integer)},
      {"f32 x 4 bit g64", true, groups(4, 64, false, integer)},
      {"f32 x 4 bit g128", true, groups(4, 128, false, integer)},
      {"f32 x 4 bit g128 zp", true, groups(4, 128, true, integer)},
      {"f32 x 8 bit g32", true, groups(8, 32, false, integer)},
      {"f32 x 4 bit g32 floating", true, groups(4, 32, false, floating)},
  };
}

std::string text(product_shape s) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
}

void run_entry(const entry& e, pare::isa isa, const pare_bench::options& o,
               const pare::thread_team& team, pare_bench::report& report) {
  bool any = false;
  for (const product_shape s : shapes) {
    pare_bench::row row;
    row.work = std::string(e.name) + " " + text(s);
    if (row.work.find(o.filter) == std::string::npos) continue;
    if (isa == pare::isa::scalar && 1.0 * s.m * s.n * s.k > 2e7) continue;
    if (!any) pare_bench::heading(e.name);
    any = true;
    row.isa = pare::name(isa);
    row.threads = o.threads;
    row.unit = "GOP/s";
    const double operations =
        2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    const auto data = std::make_shared<operands>(s);
    const work ours = e.make(data, team), peer = eight_bits(data, e.is_float, team);
    std::vector<contender> all = {{"ours", operations, ours.run},
                                  {"ours 8 bit", operations, peer.run}};
    const auto limit = pare_bench::dot_product_limit_of(isa);
    const bool limited = limit.run != nullptr, reads_bound = limited && s.m <= 16;
    if (limited) all.push_back({"limit", 1e-9 * limit.operations_per_call, limit.run});
    if (reads_bound) {
      all.push_back({"reads", operations,
                     [isa, ours] { pare_bench::read_all(isa, ours.panels, ours.bytes); }});
    }
    const auto figures = pare_bench::measure(all, o);
    row.ours = figures[0];
    row.peers.emplace_back("ours 8 bit", figures[1]);
    if (limited) row.limit = figures[2] * o.threads;
    if (reads_bound) row.limit = std::min(row.limit, figures[3]);
    report.add(row);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(
      argc, argv, "linear with weights of few bits against the machine's limit and our 8 bits");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(o, "linear, one row a shape M x N x K; operations: 2 * M * N * K");
  const pare::thread_team team(o.threads);
  for (const pare::isa i : isas) {
    must(pare::set_active_isa(i));
    for (const entry& e : entries()) run_entry(e, i, o, team, report);
  }
  return report.finish();
}
