// The operators around the products (tables, sums, pooling, softmax) in the shapes of MobileNet and
// of a keyword spotter.
//
// Limit: std::memcpy of as many bytes as the operator writes; sums and windows read more than that.
#include <pare/core/tensor.hpp>
#include <pare/kernels/add.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/requantize.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/kernels/table.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "support/machine.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;
using codes = pare::tensor<std::int8_t, 4>;

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "%s\n", s.error().message);
  std::exit(1);
}

std::shared_ptr<codes> make_codes(const index_t (&shape)[4]) {
  auto x = std::make_shared<codes>(shape);
  std::uint32_t state = 1;
  for (auto& code : *x) {
    code = static_cast<std::int8_t>((state = state * 1664525u + 1013904223u) >> 24);
  }
  return x;
}

/// Something to do, and how many codes it writes.
struct work {
  std::string name;
  std::shared_ptr<codes> y;
  std::function<void()> run;
};

std::vector<work> all_work() {
  std::vector<work> all;
  const auto add_work = [&](const char* name, const auto& x, const index_t(&y_shape)[4],
                            auto call) {
    auto y = make_codes(y_shape);
    all.push_back({name, y, [x, y, call] { must(call(*x, *y)); }});
  };
  const auto large = make_codes({1, 112, 112, 64}), middle = make_codes({1, 56, 56, 24}),
             small = make_codes({1, 14, 14, 96}), last = make_codes({1, 7, 7, 1280}),
             classes = make_codes({1, 1, 1, 1000}), words = make_codes({1, 1, 1, 12});

  auto table = std::make_shared<pare::code_table<std::int8_t>>();
  for (int i = 0; i < 256; ++i) table->codes[i] = static_cast<std::int8_t>(i * 7);
  const auto apply = [table](const codes& x, codes& y) {
    return pare::apply_table(x.view(), *table, y.view());
  };
  add_work("table 112x112x64", large, {1, 112, 112, 64}, apply);
  add_work("table 14x14x96", small, {1, 14, 14, 96}, apply);
  const auto rescale = pare::make_requantize_params<std::int8_t>({0.05f, 3}, {0.08f, -7}).value();
  add_work("requantize 56x56x24", middle, {1, 56, 56, 24}, [rescale](const codes& x, codes& y) {
    return pare::requantize(x.view(), rescale, y.view());
  });
  const auto sum = pare::make_add_params<std::int8_t>({0.05f, 3}, {0.08f, -7}, {0.1f, 11}).value();
  const auto add = [sum](const codes& x, codes& y) {
    return pare::add(x.view(), x.view(), sum, y.view());
  };
  add_work("add 112x112x64", large, {1, 112, 112, 64}, add);
  add_work("add 56x56x24", middle, {1, 56, 56, 24}, add);
  add_work("add 14x14x96", small, {1, 14, 14, 96}, add);
  const auto max_pool = [](pare::window w) {
    return [w](const codes& x, codes& y) { return pare::max_pool(x.view(), w, y.view()); };
  };
  const auto average_pool = [](pare::window w) {
    return [w](const codes& x, codes& y) { return pare::average_pool(x.view(), w, y.view()); };
  };
  add_work("max 2x2 112x112x64", large, {1, 56, 56, 64}, max_pool({2, 2, 2, 2}));
  const pare::window w = *pare::same_padding({3, 3, 2, 2}, 112, 112);
  add_work("max 3x3/2 112x112x64", large, {1, 56, 56, 64}, max_pool(w));
  add_work("average 3x3/2 112x112x64", large, {1, 56, 56, 64}, average_pool(w));
  const auto mean =
      pare::make_global_average_pool_params<std::int8_t>({0.05f, 3}, {0.03f, -7}).value();
  add_work("global average 7x7x1280", last, {1, 1, 1, 1280}, [mean](const codes& x, codes& y) {
    return pare::global_average_pool(x.view(), mean, y.view());
  });
  const auto softmax = [](const codes& x, codes& y) {
    return pare::softmax(pare::view(x.data(), 1, x.size()), pare::make_softmax_params(0.1f).value(),
                         pare::view(y.data(), 1, y.size()));
  };
  add_work("softmax 1000", classes, {1, 1, 1, 1000}, softmax);
  add_work("softmax 12", words, {1, 1, 1, 12}, softmax);
  return all;
}

void run_all(pare::isa isa, const pare_bench::options& o, pare_bench::report& report) {
  must(pare::set_active_isa(isa));
  for (const work& w : all_work()) {
    if (w.name.find(o.filter) == std::string::npos) continue;
    const double amount = 1e-9 * static_cast<double>(w.y->size());
    const auto copy = std::make_shared<codes>(*w.y);
    const auto figures = pare_bench::measure({{"ours", amount, w.run},
                                              {"copy", amount,
                                               [y = w.y, copy] {
                                                 std::memcpy(copy->data(), y->data(),
                                                             static_cast<std::size_t>(y->size()));
                                               }}},
                                             o);
    pare_bench::row row;
    row.work = w.name;
    row.isa = pare::name(isa);
    row.unit = "Gcodes/s";
    row.ours = figures[0];
    row.limit = figures[1];
    report.add(row);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(argc, argv, "tables, sums, pooling and softmax of 8-bit codes");
  const auto isas = pare_bench::isas_to_measure(o);
  pare_bench::report report(o, "operators on s8, one thread; codes written; limit: memcpy");
  for (const pare::isa i : isas) run_all(i, o, report);
  return report.finish();
}
