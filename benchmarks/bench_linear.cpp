// int8 `linear` against the machine's own limit, oneDNN and Eigen float, over thirteen shapes of
// real networks and over small numbers of rows.
//
// Bound of a row: the smaller of what the dot-product instructions can do, and what reading each
// weight once from where it lies (cache or memory) allows.
#include <pare/core/thread_team.hpp>
#include <pare/layers/linear.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "support/machine.hpp"
#include "support/peers.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;
using pare_bench::product_shape;

constexpr product_shape shapes[] = {
    {1, 1024, 1024},
    {1, 4096, 4096},
    {8, 1024, 1024},
    {32, 512, 512},
    {64, 768, 3072},
    {128, 1024, 1024},
    {196, 512, 4608},
    {784, 128, 1152},
    {3136, 64, 576},
    {12544, 32, 27},
    {1024, 1024, 1024},
    {49, 960, 160},
    {3136, 144, 24},
    // Few rows, where tiles do not fit.
    {2, 1024, 1024},
    {4, 1024, 1024},
    {6, 1024, 1024},
    {12, 1024, 1024},
    {16, 1024, 1024},
};

/// Our side of a row: a packed layer with operands.
struct work {
  pare::linear_layer layer;
  pare::tensor<std::int8_t, 2> x_s8, y_s8;
  pare::tensor<std::uint8_t, 2> x_u8;
  pare::tensor<std::int32_t, 2> y_s32;
  pare::tensor<float, 2> x_f32, y_f32;
  pare::tensor<std::byte, 1> scratch;
};

std::shared_ptr<work> make_work(product_shape s) {
  auto w = std::make_shared<work>();
  pare::tensor<std::int8_t, 2> codes({s.n, s.k});
  std::uint32_t state = 1;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 24; };
  for (auto& c : codes) c = static_cast<std::int8_t>(static_cast<int>(next() % 255) - 127);
  pare::tensor<float, 1> scales({s.n}), bias({s.n});
  for (auto& x : scales) x = 0.001f;
  const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view{
      std::as_const(codes).view(), std::as_const(scales).view(), {}, 0};
  pare::linear_options o;
  o.input = {0.05f, 3};
  o.output = {0.5f, -4};
  w->layer = pare::pack_linear(view, bias.view(), o).value();
  w->x_s8 = pare::tensor<std::int8_t, 2>({s.m, s.k});
  w->x_u8 = pare::tensor<std::uint8_t, 2>({s.m, s.k});
  w->x_f32 = pare::tensor<float, 2>({s.m, s.k});
  for (auto& x : w->x_s8) x = static_cast<std::int8_t>(next());
  for (auto& x : w->x_u8) x = static_cast<std::uint8_t>(next());
  for (auto& x : w->x_f32) x = static_cast<float>(next()) - 100.0f;
  w->y_s8 = pare::tensor<std::int8_t, 2>({s.m, s.n});
  w->y_s32 = pare::tensor<std::int32_t, 2>({s.m, s.n});
  w->y_f32 = pare::tensor<float, 2>({s.m, s.n});
  w->scratch = pare::tensor<std::byte, 1>({pare::linear_workspace_size(s.k, s.m).value()});
  return w;
}

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "linear: %s\n", s.error().message);
  std::exit(1);
}

enum class kind { s8_s8, u8_s32, f32_f32 };

const char* title(kind k) {
  switch (k) {
    case kind::s8_s8: return "s8 x s8 -> s8, requantized per channel";
    case kind::u8_s32: return "u8 x s8 -> s32";
    case kind::f32_f32: return "f32 x s8 -> f32, rows quantized on the fly";
  }
  return "";
}

void run_kind(kind k, pare::isa isa, const pare_bench::options& o, const pare::thread_team& team,
              pare_bench::report& report) {
  const char* prefix = k == kind::s8_s8    ? "s8s8->s8 "
                       : k == kind::u8_s32 ? "u8s8->s32 "
                                           : "f32s8->f32 ";
  bool any = false;
  for (const product_shape s : shapes) {
    pare_bench::row row;
    row.work = prefix + std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
    if (row.work.find(o.filter) == std::string::npos) continue;
    if (isa == pare::isa::scalar && 1.0 * s.m * s.n * s.k > 2e8)
      continue;  // seconds a call: says nothing
    if (!any) pare_bench::heading(title(k));
    any = true;
    row.isa = pare::name(isa);
    row.threads = o.threads;
    row.unit = "GOP/s";
    const double operations =
        2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    const auto w = make_work(s);
    std::vector<contender> all;
    all.push_back({"ours", operations, [w, k, &team] {
                     const pare::workspace scratch(w->scratch.data(), w->scratch.size());
                     switch (k) {
                       case kind::s8_s8:
                         return must(linear(w->x_s8.view(), w->layer, w->y_s8.view(), {}, team));
                       case kind::u8_s32:
                         return must(linear(w->x_u8.view(), w->layer, w->y_s32.view(), {}, team));
                       case kind::f32_f32:
                         return must(
                             linear(w->x_f32.view(), w->layer, w->y_f32.view(), scratch, team));
                     }
                   }});
    const auto limit = pare_bench::dot_product_limit_of(isa);
    const bool limited = limit.run != nullptr;
    const bool reads_bound = limited && s.m <= 16;
    if (limited) all.push_back({"limit", 1e-9 * limit.operations_per_call, limit.run});
    if (reads_bound) {
      const auto& view = w->layer.view();
      const std::size_t bytes = static_cast<std::size_t>(view.panels_count() * view.panel_bytes());
      all.push_back({"reads", operations, [isa, w, bytes] {
                       pare_bench::read_all(isa, w->layer.view().panels, bytes);
                     }});
    }
    const std::size_t first_peer = all.size();
    if (o.threads == 1) {
      if (auto peer = pare_bench::onednn(s, k == kind::s8_s8    ? pare_bench::onednn_kind::s8_s8
                                            : k == kind::u8_s32 ? pare_bench::onednn_kind::u8_s32
                                                                : pare_bench::onednn_kind::f32)) {
        all.push_back(
            {pare_bench::onednn_name() + (k == kind::f32_f32 ? " f32" : ""), operations, peer});
      }
      if (k == kind::s8_s8) {
        if (auto peer = pare_bench::xnnpack_s8(s)) all.push_back({"XNNPACK", operations, peer});
      }
      all.push_back({"Eigen f32", operations, pare_bench::eigen_f32(s)});
    }
    const auto figures = pare_bench::measure(all, o);
    row.ours = figures[0];
    if (limited) row.limit = figures[1] * o.threads;
    if (reads_bound) row.limit = std::min(row.limit, figures[2]);
    for (std::size_t i = first_peer; i < all.size(); ++i)
      row.peers.emplace_back(all[i].name, figures[i]);
    report.add(row);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto o =
      pare_bench::parse(argc, argv, "int8 linear against the machine's limit and its peers");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(o, "linear, one row a shape M x N x K; operations: 2 * M * N * K");
  const pare::thread_team team(o.threads);
  for (const pare::isa i : isas) {
    must(pare::set_active_isa(i));
    for (const kind k : {kind::s8_s8, kind::u8_s32, kind::f32_f32}) run_kind(k, i, o, team, report);
  }
  return report.finish();
}
