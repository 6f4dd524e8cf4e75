// What pruning a perceptron and a convolutional network have in common: options, schedule, the
// networks kept from an earlier run, and the table at the end.
#ifndef PARE_EXAMPLES_PRUNE_PRUNING_HPP
#define PARE_EXAMPLES_PRUNE_PRUNING_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../demo/stages.hpp"
#include "../demo/timing.hpp"
#include "recipes.hpp"

namespace demo {

struct arguments {
  std::string data, network, keep;
  int epochs = -1, fine_tuning = -1;  ///< -1: what is right for the network
  std::uint64_t seed = 1;
  bool is_quick = false;
};

void prune_mlp(const dataset& data, const arguments& a);
void prune_cnn(const dataset& data, const arguments& a);

/// A training of so many epochs, or of one short one where it is to be quick.
training training_of(const arguments& a, int epochs);

/// Steps of a training.
pare::index_t steps_of(const training& t, const dataset& data);

/// Learns the teacher's logits and the labels.
///
/// @param logits  [pictures, classes] of the training part, must outlive the loss
loss_function loss_of_teacher(pare::matrix_view<const float> logits);

/// Where the numbers of a network are.
struct parameters {
  float* data;
  pare::index_t count;
};

/// Reads the network from DIR/name.f32 where an earlier run kept it there; otherwise trains it, with
/// a bar that shows the progress, and keeps it. Without a DIR, trains it.
void train_or_read(const arguments& a, const std::string& name,
                   const std::vector<parameters>& network, training options,
                   const std::function<void(const training&)>& train);

/// Sparsity that rises while a network is fine-tuned, all of it in the first part; at once where
/// there are no steps.
class gradual {
 public:
  gradual(const recipe& r, pruned_layers layers, pare::index_t steps);
  void operator()(pare::index_t step) const;

 private:
  recipe recipe_;
  pruned_layers layers_;
  pare::pruning_schedule schedule_;
};

/// The share of zeros, in percent.
double zeros_of(const std::vector<pare::matrix_view<const float>>& weights);

/// Prunes half of a layer's weights without training, by SparseGPT and by magnitude; returns the
/// error of the outputs of the first over that of the second, and leaves both weights.
double halve(pare::matrix_view<const float> inputs, pare::matrix_view<float> by_sparse_gpt,
             pare::matrix_view<float> by_magnitude);

/// The table of one network: each line is a way to prune it and one to run what is left.
class table {
 public:
  /// @param dense_f32   Eigen; f32 forms are compared with it
  /// @param dense_int8  the library's; int8 forms are compared with it
  table(const dataset& data, const arguments& a, runnable dense_f32, runnable dense_int8);

  void add(const std::string& pruned, double zeros, const std::string& run_as,
           const runnable& network);
  /// The same as int8.
  void add_int8(const std::string& pruned, double zeros, const runnable& network);
  void print(const std::string& title) const;

 private:
  struct line {
    std::string pruned, run_as;
    double zeros, accuracy;
    pare::index_t bytes;
    double microseconds, speed_up;
  };
  void add(const std::string& pruned, double zeros, const std::string& run_as,
           const runnable& network, const runnable& reference);

  const dataset& data_;
  runnable dense_f32_, dense_int8_;
  pare::tensor<float, 2> inputs_;
  double seconds_;
  std::vector<line> lines_;
};

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_PRUNING_HPP
