// Makes a real classifier small: trains it, then distils, prunes, factorizes and quantizes it, runs
// every result through the library's kernels, and reports accuracy, size and speed.
//
// The techniques are in stages.cpp; this file only says in which order and with which settings.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "progress.hpp"
#include "report.hpp"
#include "stages.hpp"
#include "timing.hpp"

#ifndef PARE_DEMO_FLAGS
#define PARE_DEMO_FLAGS ""
#endif
#ifndef PARE_DEMO_DIGITS
#define PARE_DEMO_DIGITS "examples/data"
#endif

namespace demo {
namespace {

using pare::index_t;

const char* const usage =
    "pare_demo [--data DIR] [--out DIR] [--quick] [--seed N] [--threads N]\n"
    "\n"
    "  --data DIR    a folder with the four files of MNIST or Fashion-MNIST (IDX, plain or .gz);\n"
    "                without it Debian's dataset-fashion-mnist, or else the digits in examples/data\n"
    "  --out DIR     where report.json and report.html go; out unless said otherwise\n"
    "  --quick       a short training: a look at everything in a few seconds\n"
    "  --seed N      of initial weights and of the order of pictures; 1 unless said otherwise\n"
    "  --threads N   to train on; all there are unless said otherwise. Results do not depend on it\n"
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
      if (text != nullptr && *text != '\0') (option == "--data" ? a.data : a.out) = text;
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

/// The folder named, or the best that is here.
std::string data_folder(const arguments& a) {
  const std::string debian = "/usr/share/datasets/fashion-mnist";
  if (!a.data.empty()) return a.data;
  if (std::filesystem::exists(debian)) return debian;
  std::printf(
      "Fashion-MNIST is not here, so these are 8x8 digits, a small task. On Debian:\n"
      "apt-get install dataset-fashion-mnist; elsewhere: --data DIR\n\n");
  return PARE_DEMO_DIGITS;
}

/// What depends on the size of the task.
struct plan {
  std::vector<index_t> teacher, student;
  training teaching, learning, tuning;
  pare::distillation loss;
  double pruned_weights, removed_neurons, kept_energy;
  double timing_seconds;
};

plan make_plan(const dataset& data, const arguments& a) {
  plan p;
  const index_t pixels = data.train.pixels();
  return p;
}

}  // namespace
}  // namespace demo
