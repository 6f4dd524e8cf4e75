// Sparse weights against our own dense kernel of the same type and against the peers, over sparsity:
// CSR and 4x1 blocks in f32, blocks of 1x4 and 4x4 in int8, and vector products from memory.
//
// Figures are those of a dense product of the shape, 2 * M * N * K, per time: a ratio is a speed-up.
// `uniform` masks keep each block with the same chance; `clustered` ones are what magnitude pruning
// leaves of normal weights whose rows and columns have scales of their own, as trained ones do.
#include <pare/kernels/bcsr_linear.hpp>
#include <pare/kernels/select_sparse.hpp>
#include <pare/layers/bitmask_linear.hpp>
#include <pare/layers/linear.hpp>
#include <pare/layers/sparse_linear.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "support/machine.hpp"
#include "support/peers.hpp"
#include "support/sparse_peers.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;
using pare_bench::product_shape;

constexpr int sparsities[] = {50, 60, 70, 75, 80, 90, 95, 98};

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "%s\n", s.error().message);
  std::exit(1);
}

/// Which blocks of R x C stay: [ceil(n / R), ceil(k / C)].
std::vector<std::uint8_t> kept_blocks(index_t rows, index_t columns, int percent, bool clustered) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto n = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(columns);
  std::vector<float> row_scale(n, 1.0f), column_scale(k, 1.0f), score(n * k);
  if (clustered) {
    for (float& s : row_scale) s = std::exp(0.5f * normal(random));
    for (float& s : column_scale) s = std::exp(0.5f * normal(random));
  }
  for (std::size_t i = 0; i < score.size(); ++i)
    score[i] = std::fabs(normal(random)) * row_scale[i / k] * column_scale[i % k];
  std::vector<float> sorted = score;
  const std::size_t pruned = sorted.size() * static_cast<std::size_t>(percent) / 100;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(pruned),
                   sorted.end());
  std::vector<std::uint8_t> kept(score.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = score[i] >= sorted[pruned];
  return kept;
}

/// Weights [n, k] with whole blocks pruned.
template <class T>
pare::tensor<T, 2> pruned_weights(product_shape s, pare::bcsr_shape block, int percent,
                                  bool clustered) {
  const index_t rows = (s.n + block.block_rows - 1) / block.block_rows;
  const index_t columns = (s.k + block.block_columns - 1) / block.block_columns;
  const auto kept = kept_blocks(rows, columns, percent, clustered);
  pare::tensor<T, 2> w({s.n, s.k});
  std::mt19937 random(3);
  for (index_t r = 0; r < s.n; ++r) {
    for (index_t c = 0; c < s.k; ++c) {
      const int code = static_cast<int>(random() % 127) + 1;
      const bool is_kept = kept[static_cast<std::size_t>(r / block.block_rows * columns +
                                                         c / block.block_columns)] != 0;
      w(r, c) = is_kept ? static_cast<T>(random() % 2 == 0 ? code : -code) : T{};
    }
  }
  return w;
}

std::string work_of(const char* what, product_shape s, int percent, bool clustered) {
  return std::string(what) + " " + std::to_string(s.m) + "x" + std::to_string(s.n) + "x" +
         std::to_string(s.k) + " " + std::to_string(percent) + "% " +
         (clustered ? "clustered" : "uniform");
}

double dense_operations(product_shape s) {
  return 2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
}

/// Adds the row of contenders, the first of which is ours.
void add_row(pare_bench::report& report, const pare_bench::options& o, pare::isa isa,
             const std::string& work, const std::vector<contender>& all) {
  pare_bench::row row;
  row.work = work;
  row.isa = pare::name(isa);
  row.unit = "GOP/s";
  const auto figures = pare_bench::measure(all, o);
  row.ours = figures[0];
  for (std::size_t i = 1; i < all.size(); ++i) row.peers.emplace_back(all[i].name, figures[i]);
  report.add(row);
}

// --- f32 ---

/// Our side: weights in one of the forms, activations in panels and as rows.
struct float_work {
  pare::tensor<std::byte, 1> matrix, x_panels, y_panels, scratch;
  pare::tensor<float, 2> x, y;
  pare::bcsr_view<float> w;
  pare::activation_panels_view<float> in, out;
};

std::shared_ptr<float_work> make_float_work(product_shape s, const pare::tensor<float, 2>& w,
                                            pare::bcsr_shape block, int percent) {
  auto p = std::make_shared<float_work>();
  block.k_block = pare::f32_k_block(block.block_rows, 1.0f - static_cast<float>(percent) / 100.0f);
  p->matrix = pare::tensor<std::byte, 1>({pare::bcsr_size(w.view(), block).value()});
  p->w =
      pare::make_bcsr(w.view(), block, pare::workspace(p->matrix.data(), p->matrix.size())).value();
  p->x = pare::tensor<float, 2>({s.m, s.k});
  p->y = pare::tensor<float, 2>({s.m, s.n});
  for (float& v : p->x) v = 1.0f;
  const index_t bytes = pare::activation_panels_size<float>(s.m, s.k).value();
  p->x_panels = pare::tensor<std::byte, 1>({bytes});
  p->scratch = pare::tensor<std::byte, 1>({bytes});
  p->y_panels = pare::tensor<std::byte, 1>({pare::activation_panels_size<float>(s.m, s.n).value()});
  p->in =
      pare::pack_activations(std::as_const(p->x).view(), pare::workspace(p->x_panels.data(), bytes))
          .value();
  p->out = {reinterpret_cast<float*>(p->y_panels.data()), s.m, s.n};
  return p;
}

void run_floats(pare::isa isa, const pare_bench::options& o, pare_bench::report& report) {
  constexpr product_shape shapes[] = {
      {64, 1024, 1024}, {196, 512, 512}, {784, 256, 2304}, {3136, 128, 1152}};
  bool any = false;
  for (const std::int32_t block_rows : {1, 4}) {
    const pare::bcsr_shape block{block_rows, 1, 0};
    for (const product_shape s : shapes) {
      for (const bool clustered : {false, true}) {
        for (const int percent : sparsities) {
          const std::string work =
              work_of(block_rows == 1 ? "f32 CSR" : "f32 4x1", s, percent, clustered);
          if (work.find(o.filter) == std::string::npos) continue;
          if (!any) pare_bench::heading("f32: panels to panels; rows: from and to row-major");
          any = true;
          const auto w = pruned_weights<float>(s, block, percent, clustered);
          const auto p = make_float_work(s, w, block, percent);
          const double operations = dense_operations(s);
          std::vector<contender> all;
          all.push_back({"ours", operations, [p] { must(linear(p->in, p->w, {}, p->out)); }});
          all.push_back({"rows", operations, [p] {
                           must(linear(std::as_const(p->x).view(), p->w, {}, p->y.view(),
                                       pare::workspace(p->scratch.data(), p->scratch.size())));
                         }});
          if (auto peer = pare_bench::onednn(s, pare_bench::onednn_kind::f32))
            all.push_back({pare_bench::onednn_name() + " dense", operations, peer});
          all.push_back({"Eigen dense", operations, pare_bench::eigen_f32(s)});
          all.push_back({"Eigen sparse", operations, pare_bench::eigen_sparse_f32(s, w.data())});
          if (auto peer = pare_bench::libxsmm_sparse_f32(s, w.data()))
            all.push_back({"libxsmm", operations, peer});
          if (auto peer = pare_bench::xnnpack_sparse_f32(s, w.data()))
            all.push_back({"XNNPACK", operations, peer});
          add_row(report, o, isa, work, all);
        }
      }
    }
  }
}

// --- int8 ---

constexpr float code_scale = 0.001f;

pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view_of(
    const pare::tensor<std::int8_t, 2>& codes) {
  static constexpr float scale[] = {code_scale};
  return {codes.view(), pare::vector_view<const float>(scale, index_t{1}), {}, pare::per_tensor};
}

pare::linear_options options_of() {
  pare::linear_options o;
  o.input = {0.05f, 3};
  o.output = {0.5f, -4};
  return o;
}

struct code_work {
  pare::linear_layer dense;
  pare::sparse_linear_layer sparse;
  pare::tensor<std::int8_t, 2> x, y;
  pare::tensor<std::byte, 1> x_panels, y_panels, scratch;
  pare::activation_panels_view<std::int8_t> in, out;
};

std::shared_ptr<code_work> make_code_work(product_shape s, pare::bcsr_shape block, int percent,
                                          bool clustered) {
  auto p = std::make_shared<code_work>();
  const auto codes = pruned_weights<std::int8_t>(s, block, percent, clustered);
  p->dense =
      pare::pack_linear(view_of(codes), pare::vector_view<const float>{}, options_of()).value();
  p->sparse = pare::pack_sparse_linear(view_of(codes), block, pare::vector_view<const float>{},
                                       options_of())
                  .value();
  p->x = pare::tensor<std::int8_t, 2>({s.m, s.k});
  p->y = pare::tensor<std::int8_t, 2>({s.m, s.n});
  for (auto& v : p->x) v = 1;
  const index_t bytes = pare::activation_panels_size<std::int8_t>(s.m, s.k).value();
  p->x_panels = pare::tensor<std::byte, 1>({bytes});
  p->scratch = pare::tensor<std::byte, 1>({bytes});
  p->y_panels =
      pare::tensor<std::byte, 1>({pare::activation_panels_size<std::int8_t>(s.m, s.n).value()});
  p->in =
      pare::pack_activations(std::as_const(p->x).view(), pare::workspace(p->x_panels.data(), bytes))
          .value();
  p->out = {reinterpret_cast<std::int8_t*>(p->y_panels.data()), s.m, s.n, 0};
  return p;
}

void run_codes(pare::isa isa, const pare_bench::options& o, pare_bench::report& report) {
  constexpr product_shape shapes[] = {{64, 1024, 1024}, {196, 512, 512}, {784, 256, 2304}};
  constexpr struct {
    const char* name;
    pare::bcsr_shape block;
  } blocks[] = {{"s8 4x4", {4, 4, 0}}, {"s8 1x4", {1, 4, 0}}};
  bool any = false;
  for (const auto& b : blocks) {
    for (const product_shape s : shapes) {
      for (const bool clustered : {false, true}) {
        for (const int percent : sparsities) {
          const std::string work = work_of(b.name, s, percent, clustered);
          if (work.find(o.filter) == std::string::npos) continue;
          if (!any) pare_bench::heading("s8 -> s8: panels to panels; rows: from and to row-major");
          any = true;
          const auto p = make_code_work(s, b.block, percent, clustered);
          const double operations = dense_operations(s);
          std::vector<contender> all;
          all.push_back(
              {"ours", operations, [p] { must(linear(p->in, p->sparse.view(), p->out)); }});
          all.push_back({"rows", operations, [p] {
                           must(linear(std::as_const(p->x).view(), p->sparse.view(), p->y.view(),
                                       pare::workspace(p->scratch.data(), p->scratch.size())));
                         }});
          all.push_back({"dense", operations, [p] {
                           must(linear(std::as_const(p->x).view(), p->dense.view(), p->y.view()));
                         }});
          if (auto peer = pare_bench::onednn(s, pare_bench::onednn_kind::s8_s8))
            all.push_back({pare_bench::onednn_name() + " dense", operations, peer});
          add_row(report, o, isa, work, all);
        }
      }
    }
  }
}

// --- one row, weights from memory ---

/// Copies of a layer that are used in turn, more than the caches hold.
template <class Layer, class Make>
std::shared_ptr<std::vector<Layer>> copies_of(const Make& make) {
  constexpr index_t bytes = index_t{128} << 20;
  auto layers = std::make_shared<std::vector<Layer>>();
  layers->push_back(make());
  const index_t count = bytes / std::max<index_t>(1, layers->front().packed_bytes()) + 1;
  while (static_cast<index_t>(layers->size()) < count) layers->push_back(make());
  return layers;
}

/// Weights [n, k] of which two of every four neighbours are pruned.
pare::tensor<std::int8_t, 2> two_of_four(product_shape s) {
  pare::tensor<std::int8_t, 2> w = pruned_weights<std::int8_t>(s, {1, 1, 0}, 0, false);
  std::mt19937 random(5);
  for (index_t r = 0; r < s.n; ++r) {
    for (index_t c = 0; c + 4 <= s.k; c += 4) {
      const index_t first = static_cast<index_t>(random() % 4);
      w(r, c + first) = 0;
      w(r, c + (first + 1 + static_cast<index_t>(random() % 3)) % 4) = 0;
    }
  }
  return w;
}

/// One row at a time against copies of a sparse layer and of the dense one.
template <class Layer, class Make>
void run_vector(pare::isa isa, const pare_bench::options& o, pare_bench::report& report,
                product_shape s, const std::string& work, const pare::tensor<std::int8_t, 2>& codes,
                const Make& make) {
  const auto dense = copies_of<pare::linear_layer>([&] {
    return pare::pack_linear(view_of(codes), pare::vector_view<const float>{}, options_of())
        .value();
  });
  const auto sparse = copies_of<Layer>([&] { return make(view_of(codes)).value(); });
  auto x = std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.k));
  auto y = std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.n));
  const double operations = dense_operations(s);
  const auto in_turn = [&](const auto& layers) {
    return [layers, x, y, next = std::size_t{0}]() mutable {
      must(linear(std::as_const(*x).view(), (*layers)[next++ % layers->size()].view(), y->view()));
    };
  };
  add_row(report, o, isa, work,
          {{"ours", operations, in_turn(sparse)}, {"dense", operations, in_turn(dense)}});
}

void run_vectors(pare::isa isa, const pare_bench::options& o, pare_bench::report& report) {
  constexpr product_shape s{1, 4096, 4096};
  const pare::vector_view<const float> no_bias;
  bool any = false;
  const auto is_wanted = [&](const std::string& work) {
    if (work.find(o.filter) == std::string::npos) return false;
    if (!any) pare_bench::heading("s8 -> s8, one row, weights from memory");
    any = true;
    return true;
  };
  for (const int percent : sparsities) {
    const std::string work = work_of("s8 16x4 from memory", s, percent, false);
    if (!is_wanted(work)) continue;
    run_vector<pare::sparse_linear_layer>(
        isa, o, report, s, work, pruned_weights<std::int8_t>(s, {16, 4, 0}, percent, false),
        [&](const auto& w) {
          return pare::pack_sparse_linear(w, {16, 4, 0}, no_bias, options_of());
        });
  }
  for (const std::int32_t bits : {8, 4}) {
    const std::string type = bits == 8 ? "s8 " : "s4 ";
    const auto to_bits = [bits](pare::tensor<std::int8_t, 2> w) {
      if (bits == 8) return w;
      for (auto& code : w) {
        if (code != 0) code = static_cast<std::int8_t>(code % 4 + (code < 0 ? -4 : 4));
      }
      return w;
    };
    const auto run = [&](const std::string& what, int percent, pare::n_m pattern,
                         const auto& weights) {
      const std::string work = work_of((type + what + " from memory").c_str(), s, percent, false);
      if (!is_wanted(work)) return;
      run_vector<pare::bitmask_linear_layer>(
          isa, o, report, s, work, to_bits(weights()), [&](const auto& w) {
            return pare::pack_bitmask_linear(w, {bits, pattern}, no_bias, options_of());
          });
    };
    run("2:4", 50, {2, 4}, [&] { return two_of_four(s); });
    for (const int percent : {50, 75, 90}) {
      run("bitmask", percent, {0, 0}, [&] {
        return pruned_weights<std::int8_t>(s, {1, 1, 0}, percent, false);
      });
    }
  }
}

// --- the selector ---

/// Adds the row of all forms, the chosen one as ours: the best of them is to be no more than 5 %
/// better.
void add_choice(pare_bench::report& report, const pare_bench::options& o, pare::isa isa,
                const std::string& work, const std::vector<contender>& all,
                const std::string& chosen) {
  const auto figures = pare_bench::measure(all, o);
  pare_bench::row row;
  row.work = work;
  row.isa = pare::name(isa);
  row.unit = "GOP/s";
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == chosen) row.ours = figures[i];
    row.peers.emplace_back(all[i].name, figures[i]);
  }
  row.peers.emplace_back("best", *std::max_element(figures.begin(), figures.end()));
  report.add(row);
}

/// What the selector chooses for one row and weights in memory: of the forms that are for few rows.
void run_choices_from_memory(pare::isa isa, const pare_bench::options& o,
                             pare_bench::report& report) {
  constexpr product_shape s{1, 4096, 4096};
  const pare::vector_view<const float> no_bias;
  for (const std::int32_t block_rows : {1, 16}) {
    for (const int percent : {50, 75, 90}) {
      const pare::bcsr_shape block{block_rows, block_rows == 1 ? 1 : 4, 0};
      const std::string mask =
          block_rows == 1 ? "s8 choice from memory 1x1" : "s8 choice from memory 16x4";
      const std::string work = work_of(mask.c_str(), s, percent, false);
      if (work.find(o.filter) == std::string::npos) continue;
      const auto codes = pruned_weights<std::int8_t>(s, block, percent, false);
      const auto statistics = pare::sparse_statistics_of(codes.view()).value();
      const auto choice = pare::select_sparse_linear(statistics, s.m, pare::weights_in::memory);
      const auto x =
          std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.k));
      const auto y =
          std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.n));
      const auto in_turn = [&](const auto& layers) {
        return [layers, x, y, next = std::size_t{0}]() mutable {
          const auto& layer = (*layers)[next++ % layers->size()];
          must(linear(std::as_const(*x).view(), layer.view(), y->view()));
        };
      };
      const double operations = dense_operations(s);
      const std::vector<contender> all = {
          {"dense", operations, in_turn(copies_of<pare::linear_layer>([&] {
             return pare::pack_linear(view_of(codes), no_bias, options_of()).value();
           }))},
          {"16x4", operations, in_turn(copies_of<pare::sparse_linear_layer>([&] {
             return pare::pack_sparse_linear(view_of(codes), {16, 4, 0}, no_bias, options_of())
                 .value();
           }))},
          {"bitmask", operations, in_turn(copies_of<pare::bitmask_linear_layer>([&] {
             return pare::pack_bitmask_linear(view_of(codes), choice.kind, no_bias, options_of())
                 .value();
           }))}};
      add_choice(report, o, isa, work, all, pare::name(choice.form));
    }
  }
}

/// The same for weights in the caches and 1 to 128 rows.
void run_choices(pare::isa isa, const pare_bench::options& o, pare_bench::report& report) {
  bool any = false;
  for (const std::int32_t block_rows : {1, 4, 16}) {
    for (const index_t size : {512, 1024}) {
      for (const int percent : {50, 75, 90, 95}) {
        for (const index_t m : {1, 4, 16, 64, 128}) {
          const product_shape s{m, size, size};
          const std::string mask = "s8 choice " + std::to_string(block_rows) + "x4";
          const std::string work = work_of(mask.c_str(), s, percent, false);
          if (work.find(o.filter) == std::string::npos) continue;
          if (!any)
            pare_bench::heading("s8 -> s8 from and to rows: the form that the selector names");
          any = true;
          const auto codes = pruned_weights<std::int8_t>(s, {block_rows, 4, 0}, percent, false);
          const auto statistics = pare::sparse_statistics_of(codes.view()).value();
          const auto choice = pare::select_sparse_linear(statistics, m);
          const double operations = dense_operations(s);
          auto x =
              std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.k));
          auto y =
              std::make_shared<pare::tensor<std::int8_t, 2>>(pare::dextents<index_t, 2>(s.m, s.n));
          auto scratch = std::make_shared<pare::tensor<std::byte, 1>>(pare::dextents<index_t, 1>(
              pare::activation_panels_size<std::int8_t>(s.m, s.k).value()));
          const pare::vector_view<const float> no_bias;
          std::vector<contender> all;
          const auto dense = std::make_shared<pare::linear_layer>(
              pare::pack_linear(view_of(codes), no_bias, options_of()).value());
          all.push_back({"dense", operations, [=] {
                           must(linear(std::as_const(*x).view(), dense->view(), y->view()));
                         }});
          for (const std::int32_t rows : {1, 4, 16}) {
            const auto layer = std::make_shared<pare::sparse_linear_layer>(
                pare::pack_sparse_linear(view_of(codes), {rows, 4, 0}, no_bias, options_of())
                    .value());
            all.push_back({std::to_string(rows) + "x4", operations, [=] {
                             must(linear(std::as_const(*x).view(), layer->view(), y->view(),
                                         pare::workspace(scratch->data(), scratch->size())));
                           }});
          }
          const auto bitmask = std::make_shared<pare::bitmask_linear_layer>(
              pare::pack_bitmask_linear(view_of(codes), {}, no_bias, options_of()).value());
          all.push_back({"bitmask", operations, [=] {
                           must(linear(std::as_const(*x).view(), bitmask->view(), y->view()));
                         }});
          add_choice(report, o, isa, work, all, pare::name(choice.form));
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(argc, argv, "sparse linear against dense and its peers");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(
      o, "sparse linear, one row a shape M x N x K; operations of the dense product");
  for (const pare::isa i : isas) {
    must(pare::set_active_isa(i));
    run_floats(i, o, report);
    run_codes(i, o, report);
    run_vectors(i, o, report);
    run_choices(i, o, report);
    run_choices_from_memory(i, o, report);
  }
  return report.finish();
}
