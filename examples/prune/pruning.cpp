#include "pruning.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include <pare/prune/sparse_gpt.hpp>
#include <pare/quantize/inverse_cholesky.hpp>

#include "../demo/progress.hpp"

namespace demo {

using pare::index_t;

training training_of(const arguments& a, int epochs) {
  training t;
  t.epochs = a.is_quick ? 1 : epochs;
  t.pictures = a.is_quick ? 1024 : 0;
  t.seed = a.seed;
  t.threads = 1;
  return t;
}

index_t steps_of(const training& t, const dataset& data) {
  const index_t pictures =
      t.pictures > 0 ? std::min(t.pictures, data.train.count()) : data.train.count();
  return pictures / t.batch * t.epochs;
}

loss_function loss_of_teacher(pare::matrix_view<const float> logits) {
  return [logits](const minibatch& b, pare::matrix_view<float> gradient) {
    pare::tensor<float, 2> taught(b.logits.extents());
    for (index_t row = 0; row < taught.extent(0); ++row) {
      for (index_t c = 0; c < classes; ++c) taught(row, c) = logits(b.pictures(row), c);
    }
    return pare::distillation_loss(b.logits, taught.view(), b.labels, pare::distillation{},
                                   gradient);
  };
}

namespace {

/// False where there is no such file, or it holds another network.
bool read(const std::string& path, const std::vector<parameters>& network) {
  std::uintmax_t bytes = 0;
  for (const parameters& p : network) bytes += static_cast<std::uintmax_t>(p.count) * sizeof(float);
  std::error_code none;
  if (std::filesystem::file_size(path, none) != bytes || none) return false;
  std::ifstream file(path, std::ios::binary);
  for (const parameters& p : network) {
    file.read(reinterpret_cast<char*>(p.data),
              static_cast<std::streamsize>(p.count) * static_cast<std::streamsize>(sizeof(float)));
  }
  return file.good();
}

void write(const std::string& path, const std::vector<parameters>& network) {
  std::ofstream file(path, std::ios::binary);
  for (const parameters& p : network) {
    file.write(reinterpret_cast<const char*>(p.data),
               static_cast<std::streamsize>(p.count) * static_cast<std::streamsize>(sizeof(float)));
  }
  if (!file.good()) throw std::runtime_error(path + " cannot be written");
}

}  // namespace

void train_or_read(const arguments& a, const std::string& name,
                   const std::vector<parameters>& network, training options,
                   const std::function<void(const training&)>& train) {
  const std::string path = a.keep + "/" + name + ".f32";
  if (!a.keep.empty() && read(path, network)) {
    std::printf("  %-34s from %s\n", name.c_str(), path.c_str());
    return;
  }
  progress_bar bar(name);
  options.progress = [&](double done, double loss, double accuracy) {
    bar.show(done, loss, accuracy);
  };
  if (options.epochs > 0) train(options);
  if (!a.keep.empty()) write(path, network);
  bar.finish(std::to_string(options.epochs) + " epochs");
}

gradual::gradual(const recipe& r, pruned_layers layers, index_t steps)
    : recipe_(r), layers_(std::move(layers)) {
  schedule_.last = r.sparsity;
  schedule_.end = std::max<index_t>(1, static_cast<index_t>(0.4 * static_cast<double>(steps)));
  schedule_.every = std::max<index_t>(1, steps / 60);
  if (steps == 0) recipe_.prune(layers_, r.sparsity);
}

void gradual::operator()(index_t step) const {
  if (!pare::prunes_at(schedule_, step)) return;
  recipe_.prune(layers_, pare::sparsity_at(schedule_, step).value());
}

double zeros_of(const std::vector<pare::matrix_view<const float>>& weights) {
  index_t zeros = 0, all = 0;
  for (const auto& w : weights) {
    pare::for_each_element(w, [&](float x, index_t) { zeros += x == 0 ? 1 : 0; });
    all += static_cast<index_t>(w.size());
  }
  return 100.0 * static_cast<double>(zeros) / static_cast<double>(all);
}

double halve(pare::matrix_view<const float> inputs, pare::matrix_view<float> by_sparse_gpt,
             pare::matrix_view<float> by_magnitude) {
  auto h = pare::hessian::create(by_sparse_gpt.extent(1)).value();
  check(pare::accumulate(inputs, h));
  const auto half = pare::amount::fraction(0.5);
  const auto dense = pare::tensor<float, 2>::copy_of(by_sparse_gpt).value();
  auto mask = pare::full_mask(by_magnitude).value();
  check(pare::prune_magnitude(by_magnitude, half, mask.view()));
  check(pare::apply_mask(mask.view(), by_magnitude));
  mask = pare::full_mask(by_sparse_gpt).value();
  const auto factor = pare::inverse_cholesky(h).value();
  check(pare::sparse_gpt(by_sparse_gpt, factor.view(), half, mask.view()));
  return pare::output_error(dense.view(), by_sparse_gpt, h).value() /
         pare::output_error(dense.view(), by_magnitude, h).value();
}

table::table(const dataset& data, const arguments& a, runnable dense_f32, runnable dense_int8)
    : data_(data),
      dense_f32_(std::move(dense_f32)),
      dense_int8_(std::move(dense_int8)),
      inputs_(to_inputs(data.test, data.pixel_scale)),
      seconds_(a.is_quick ? 0.01 : 1.0) {
  add("nothing", 0, "f32, Eigen", dense_f32_);
  add_int8("nothing", 0, dense_int8_);
}

void table::add(const std::string& pruned, double zeros, const std::string& run_as,
                const runnable& network) {
  add(pruned, zeros, run_as, network, dense_f32_);
}

void table::add_int8(const std::string& pruned, double zeros, const runnable& network) {
  add(pruned, zeros, network.stored, network, dense_int8_);
}

void table::add(const std::string& pruned, double zeros, const std::string& run_as,
                const runnable& network, const runnable& reference) {
  const timing t =
      time_against(network, reference, {inputs_.view(), data_.test.rows()}, 64, seconds_);
  lines_.push_back({pruned, run_as, zeros, demo::accuracy(network, data_.test, data_.pixel_scale),
                    network.bytes, t.ours, t.eigen / t.ours});
}

void table::print(const std::string& title) const {
  std::printf(
      "\n%s\n\n| pruned | zeros | run as | accuracy | bytes | us a picture | times dense |\n"
      "|---|---|---|---|---|---|---|\n",
      title.c_str());
  for (const line& l : lines_) {
    std::printf("| %s | %.1f %% | %s | %.2f %% | %lld | %.2f | %.2f |\n", l.pruned.c_str(), l.zeros,
                l.run_as.c_str(), l.accuracy, static_cast<long long>(l.bytes), l.microseconds,
                l.speed_up);
  }
  std::fflush(stdout);
}

}  // namespace demo
