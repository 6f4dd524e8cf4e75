// Prunes a multilayer perceptron and a small residual network in four ways, fine-tunes them, and
// prints what that costs in accuracy and saves in bytes and time.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "../demo/data_folder.hpp"
#include "pruning.hpp"

namespace {

const char* const usage =
    "pare_prune [--data DIR] [--network mlp|cnn] [--epochs N] [--fine-tuning N] [--keep DIR]\n"
    "           [--seed N] [--quick]\n"
    "\n"
    "  --data DIR        a folder with the four files of MNIST or Fashion-MNIST (IDX, plain or\n"
    "                    .gz); unless said otherwise Debian's dataset-fashion-mnist, or 8x8 "
    "digits\n"
    "  --network NAME    only this one\n"
    "  --epochs N        of the dense network; 8 unless said otherwise\n"
    "  --fine-tuning N   epochs while and after pruning; 6 (mlp) and 12 (cnn) unless said "
    "otherwise\n"
    "  --keep DIR        networks are kept there, and read rather than trained where they are "
    "there:\n"
    "                    for measuring again\n"
    "  --seed N          of initial weights and the order of pictures; 1 unless said otherwise. "
    "The\n"
    "                    same seed gives the same networks\n"
    "  --quick           hardly any training: a look at everything in a few seconds\n"
    "  --help            this\n";

bool parse(int argc, char** argv, demo::arguments& a) {
  const auto number = [](const std::string& text, int least) {
    const int n = std::atoi(text.c_str());
    return n >= least && std::to_string(n) == text ? n : -1;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--quick") {
      a.is_quick = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (option == "--data") {
      a.data = value;
    } else if (option == "--keep") {
      a.keep = value;
    } else if (option == "--network" && (value == "mlp" || value == "cnn")) {
      a.network = value;
    } else if (option == "--epochs" && number(value, 1) > 0) {
      a.epochs = number(value, 1);
    } else if (option == "--fine-tuning" && number(value, 1) > 0) {
      a.fine_tuning = number(value, 1);
    } else if (option == "--seed" && number(value, 0) >= 0) {
      a.seed = static_cast<std::uint64_t>(number(value, 0));
    } else {
      return false;
    }
  }
  return true;
}

void run(const demo::arguments& a) {
  const std::string folder = demo::data_folder(a.data);
  const auto data = demo::load_dataset(folder);
  if (!data) {
    throw std::runtime_error(folder + "/" + data.error().subject + ": " + data.error().message);
  }
  if (a.network != "cnn") demo::prune_mlp(*data, a);
  if (a.network != "mlp") demo::prune_cnn(*data, a);
}

}  // namespace

int main(int argc, char** argv) {
  demo::arguments a;
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::fputs(usage, stdout);
    return 0;
  }
  if (!parse(argc, argv, a)) {
    std::fputs(usage, stderr);
    return 2;
  }
  try {
    run(a);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pare_prune: %s\n", e.what());
    return 1;
  }
  return 0;
}
