// Makes a real classifier small: trains it, then distils, prunes, factorizes and quantizes it, runs
// every result through the library's kernels, and reports accuracy, size and speed.
//
// The techniques are in stages.cpp; this file only says in which order and with which settings.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "data_folder.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "stages.hpp"
#include "timing.hpp"

// The build says what it compiles with.
#ifndef PARE_DEMO_FLAGS
#define PARE_DEMO_FLAGS ""
#endif

#if defined(__clang__)
#define PARE_DEMO_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define PARE_DEMO_COMPILER "gcc " __VERSION__
#else
#define PARE_DEMO_COMPILER "unknown"
#endif

namespace demo {
namespace {

using pare::index_t;

const char* const usage =
    "pare_demo [--data DIR] [--out DIR] [--quick] [--seed N] [--threads N]\n"
    "\n"
    "  --data DIR    a folder with the four files of MNIST or Fashion-MNIST (IDX, plain or .gz);\n"
    "                without it Debian's dataset-fashion-mnist, or else the digits in "
    "examples/data\n"
    "  --out DIR     where report.json and report.html go; out unless said otherwise\n"
    "  --quick       a short training: a look at everything in a few seconds\n"
    "  --seed N      of initial weights and of the order of pictures; 1 unless said otherwise\n"
    "  --threads N   to train on; all there are unless said otherwise. Results do not depend on "
    "it\n"
    "  --help        this text\n";

struct arguments {
  std::string data, out = "out";
  bool quick = false, help = false;
  std::uint64_t seed = 1;
  int threads = 0;
};

/// A count without sign and rest, up to `most`.
bool parse_number(const char* s, unsigned long long most, unsigned long long& number) {
  char* end = nullptr;
  number = std::strtoull(s, &end, 10);
  return *s >= '0' && *s <= '9' && *end == '\0' && number <= most;
}

/// False, with a message on stderr, where something is not understood.
bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> const char* { return i + 1 < argc ? argv[++i] : nullptr; };
    const char* text = "";
    unsigned long long number = 0;
    if (option == "--quick") {
      a.quick = true;
    } else if (option == "--help" || option == "-h") {
      a.help = true;
    } else if (option == "--data" || option == "--out") {
      text = value();
      if (text != nullptr && *text == '\0') text = nullptr;
      if (text != nullptr) (option == "--data" ? a.data : a.out) = text;
    } else if (option == "--seed") {
      text = value();
      if (text != nullptr && !parse_number(text, ~0ull, number)) text = nullptr;
      a.seed = number;
    } else if (option == "--threads") {
      text = value();
      if (text != nullptr && !parse_number(text, 1024, number)) text = nullptr;
      a.threads = static_cast<int>(number);
    } else {
      std::fprintf(stderr, "pare_demo: %s is not an option\n\n%s", argv[i], usage);
      return false;
    }
    if (text == nullptr) {
      std::fprintf(stderr, "pare_demo: %s needs a value that fits it\n\n%s", option.c_str(), usage);
      return false;
    }
  }
  return true;
}

/// What depends on the task: chosen on the validation part, never on the test pictures.
struct plan {
  std::vector<index_t> teacher, student;  ///< widths
  training teaching, learning;            ///< of the teacher, of a student
  training fine_tuning, refining;         ///< after a cut into the teacher, into the student
  pare::distillation loss;
  double pruned_weights = 0.9;  ///< shares
  double removed_neurons = 0.5;
  double removed_from_student = 0.25;
  double kept_energy = 0.7;
  double timing_seconds = 0.3;  ///< for each figure
};

plan make_plan(const dataset& data, const arguments& a) {
  plan p;
  const index_t pixels = data.train.pixels();
  const bool is_small = data.train.count() < 10000;
  p.teacher = {pixels, 512, 256, classes};
  p.student = {pixels, 128, 64, classes};
  p.loss.temperature = 2;
  p.loss.alpha = 0.5;

  p.teaching.epochs = 20;
  p.teaching.dropout = 0.1f;
  p.teaching.weight_decay = 0.05f;
  p.teaching.shift = 1;
  p.learning.epochs = 30;
  p.fine_tuning.epochs = 5;
  p.refining.epochs = 15;

  if (is_small) {
    p.teacher = {pixels, 256, 128, classes};
    p.student = {pixels, 32, classes};
    p.teaching.shift = 0;
    for (training* t : {&p.teaching, &p.learning, &p.fine_tuning, &p.refining}) {
      t->batch = 32;
      t->epochs *= 3;
    }
  }
  if (a.quick) {
    p.timing_seconds = 0.05;
    p.teaching.shift = 0;
    p.teaching.dropout = 0;
    for (training* t : {&p.teaching, &p.learning, &p.fine_tuning, &p.refining}) {
      t->epochs = std::max(1, t->epochs / 10);
      t->pictures = 20000;
    }
  }
  for (training* t : {&p.teaching, &p.learning, &p.fine_tuning, &p.refining}) {
    t->seed = a.seed;
    t->threads = a.threads;
  }
  return p;
}

std::string widths(const mlp& network) {
  std::string text = std::to_string(network.front().weight.extent(1));
  for (const dense& layer : network) text += "-" + std::to_string(layer.weight.extent(0));
  return text;
}

/// Runs a training under a progress bar, and says how well the network does on validation.
template <class Train>
void with_progress(const std::string& what, mlp& network, const dataset& data, training options,
                   Train train) {
  progress_bar bar(what);
  options.progress = [&](double done, double loss, double accuracy) {
    bar.show(done, loss, accuracy);
  };
  train(options);
  char outcome[64];
  std::snprintf(outcome, sizeof(outcome), "%.2f %% of the validation pictures",
                accuracy(in_eigen(network), data.validation, data.pixel_scale));
  bar.finish(outcome);
}

/// Measures networks on the test pictures and collects the rows of the report.
class test_bench {
 public:
  test_bench(const dataset& data, double seconds, report& r)
      : data_(data),
        inputs_(to_inputs(data.test, data.pixel_scale)),
        seconds_(seconds),
        report_(r) {}

  /// @param network  what runs
  /// @param eigen    what it is compared with: the same layers, dense
  void add(const char* technique, kind family, const mlp& network, const runnable& form,
           const mlp& eigen) {
    progress_bar bar("measure: " + std::string(technique));
    const runnable dense_form = in_eigen(eigen);
    const pictures all{inputs_.view(), data_.test.rows()};
    const timing one = time_against(form, dense_form, all, 1, seconds_);
    const timing many = time_against(form, dense_form, all, 64, seconds_);
    row result;
    result.technique = technique;
    result.family = family;
    result.layers = widths(network);
    result.stored = form.stored;
    result.accuracy = accuracy(form, data_.test, data_.pixel_scale);
    result.bytes = form.bytes;
    result.packed_bytes = form.packed_bytes;
    result.us_1 = one.ours, result.eigen_us_1 = one.eigen;
    result.us_64 = many.ours, result.eigen_us_64 = many.eigen;
    report_.rows.push_back(result);
    bar.clear();
  }

  /// A dense float network: Eigen itself.
  void add_float(const char* technique, kind family, const mlp& network) {
    add(technique, family, network, in_eigen(network), network);
    row& itself = report_.rows.back();
    itself.eigen_us_1 = itself.us_1, itself.eigen_us_64 = itself.us_64;
  }

 private:
  const dataset& data_;
  pare::tensor<float, 2> inputs_;
  double seconds_;
  report& report_;
};

/// The whole job.
void compress(const dataset& data, const plan& p, report& r) {
  // 1. A teacher: first on pictures that are moved about, then on the pictures as they are.
  mlp teacher = make_mlp(p.teacher, p.teaching.seed);
  for (const training& part : {p.teaching, p.fine_tuning}) {
    with_progress("train the teacher", teacher, data, part,
                  [&](const training& options) { train_on_labels(teacher, data, options); });
  }

  // 2. A student, alone and from the teacher: the same weights to start from, the same steps.
  mlp alone = make_mlp(p.student, p.learning.seed), student = alone;
  with_progress("train a student alone", alone, data, p.learning,
                [&](const training& options) { train_on_labels(alone, data, options); });
  with_progress("distil the student", student, data, p.learning,
                [&](const training& options) { distil(teacher, student, data, options, p.loss); });

  // 3. Most weights of the teacher go.
  mlp sparse = teacher;
  const masks kept = prune_weights(sparse, p.pruned_weights);
  with_progress("fine-tune what is not pruned", sparse, data, under(kept, p.fine_tuning),
                [&](const training& options) { train_on_labels(sparse, data, options); });

  // 4. Half of its neurons go.
  mlp narrow = remove_neurons(teacher, p.removed_neurons);
  with_progress("fine-tune with fewer neurons", narrow, data, p.fine_tuning,
                [&](const training& options) { train_on_labels(narrow, data, options); });

  // 5. Its layers become pairs of thin ones.
  mlp thin = factorize(teacher, p.kept_energy);
  with_progress("fine-tune the factors", thin, data, p.fine_tuning,
                [&](const training& options) { train_on_labels(thin, data, options); });

  // 6. Fewer neurons for the student too, with the teacher's help.
  mlp least = remove_neurons(student, p.removed_from_student);
  with_progress("fine-tune the narrow student", least, data, p.refining,
                [&](const training& options) { distil(teacher, least, data, options, p.loss); });

  // 7. What all of them are worth, and with int8 weights.
  test_bench bench(data, p.timing_seconds, r);
  bench.add_float("teacher, float", kind::baseline, teacher);
  bench.add_float("student alone, float", kind::baseline, alone);
  bench.add_float("student distilled, float", kind::distilled, student);
  bench.add("weights pruned, sparse rows", kind::pruned, sparse, as_sparse(sparse), teacher);
  bench.add_float("neurons removed, float", kind::pruned, narrow);
  bench.add("low rank, float", kind::factorized, thin, as_low_rank(thin), teacher);
  bench.add("int8, dynamic", kind::quantized, teacher, as_int8(teacher), teacher);
  bench.add("int8, static", kind::quantized, teacher, as_static_int8(teacher, data), teacher);
  bench.add("low rank + int8", kind::combined, thin, as_static_int8(thin, data), teacher);
  bench.add("neurons removed + int8", kind::combined, narrow, as_static_int8(narrow, data), narrow);
  bench.add("distilled + int8", kind::combined, student, as_static_int8(student, data), student);
  bench.add("distilled + neurons removed + int8", kind::combined, least,
            as_static_int8(least, data), least);
}

/// "the folder/file: the file ends too early (byte 16)"
void print_error(const std::string& folder, const pare::error& e) {
  std::fprintf(stderr, "pare_demo: %s/%s: %s", folder.c_str(), e.subject, e.message);
  if (e.kind == pare::position_kind::byte) std::fprintf(stderr, " (byte %td)", e.position);
  std::fprintf(stderr, "\n");
}

int run_demo(int argc, char** argv) {
  arguments a;
  if (!parse(argc, argv, a)) return 2;
  if (a.help) {
    std::printf("%s", usage);
    return 0;
  }

  const std::string folder = data_folder(a.data);
  const auto data = load_dataset(folder);
  if (!data) {
    print_error(folder, data.error());
    return 1;
  }
  // Now rather than after minutes of training.
  std::error_code failure;
  std::filesystem::create_directories(a.out, failure);
  if (failure || !std::ofstream(a.out + "/report.json", std::ios::app)) {
    std::fprintf(stderr, "pare_demo: no file can be written in %s\n", a.out.c_str());
    return 1;
  }

  report r;
  r.data = folder;
  r.training_pictures = data->train.count();
  r.test_pictures = data->test.count();
  r.processor = processor_name();
  r.compiler = PARE_DEMO_COMPILER;
  r.flags = PARE_DEMO_FLAGS;
  r.isa = pare::name(pare::active_isa());
  r.seed = a.seed;
  r.quick = a.quick;
  compress(*data, make_plan(*data, a), r);

  print_table(r);
  for (const char* name : {"report.json", "report.html"}) {
    const std::string path = a.out + "/" + name;
    const bool is_json = std::strcmp(name, "report.json") == 0;
    if (!(is_json ? write_json(r, path) : write_html(r, path))) {
      std::fprintf(stderr, "pare_demo: %s cannot be written\n", path.c_str());
      return 1;
    }
    std::printf("  %s\n", path.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  try {
    return demo::run_demo(argc, argv);
  } catch (const pare::bad_result_access& e) {
    std::fprintf(stderr, "pare_demo: %s: %s\n", e.error().subject, e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pare_demo: %s\n", e.what());
  }
  return 1;
}
