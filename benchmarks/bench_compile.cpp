// What including the library costs: seconds of the compiler at -O2, against an empty program and
// against what others include.
//
// The limit of a row is the cost of the part that is not ours: nothing for a plain program,
// <immintrin.h> where kernels for several instruction sets are compiled.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "support/suite.hpp"

namespace {

struct program {
  const char* name;
  const char* text;
};

constexpr program empty{"empty program", "int main() {}\n"};
constexpr program intrinsics{"<immintrin.h>", "#include <immintrin.h>\nint main() {}\n"};
constexpr program eigen{"<Eigen/Core>", "#include <Eigen/Core>\nint main() {}\n"};
// Calls every operator of a mobile network: what an application's own file contains.
#define PARE_BENCH_ALL_OPERATORS                                                                   \
  "#include <pare/inference.hpp>\n"                                                                \
  "using s8 = std::int8_t;\n"                                                                      \
  "template <class T> using matrix = pare::matrix_view<T>;\n"                                      \
  "template <class T> using image = pare::tensor_view<T, pare::dextents<pare::index_t, 4>>;\n"     \
  "pare::status run(image<const s8> x, image<s8> y, matrix<const s8> a, matrix<s8> b,\n"           \
  "                 matrix<const float> p, matrix<float> q, const pare::packed_linear_view& w8,\n" \
  "                 const pare::packed_low_bit_linear_view& w4, const pare::packed_conv2d_view& "  \
  "c,\n"                                                                                           \
  "                 const pare::packed_depthwise_view& d, const pare::window& w,\n"                \
  "                 const pare::add_params<s8>& add, const pare::code_table<s8>& table,\n"         \
  "                 pare::workspace scratch) {\n"                                                  \
  "  if (auto s = pare::linear(a, w8, b); !s) return s;\n"                                         \
  "  if (auto s = pare::linear(p, w8, q, scratch); !s) return s;\n"                                \
  "  if (auto s = pare::linear(a, w4, b); !s) return s;\n"                                         \
  "  if (auto s = pare::conv2d(x, c, y, scratch); !s) return s;\n"                                 \
  "  if (auto s = pare::depthwise_conv2d(x, d, y); !s) return s;\n"                                \
  "  if (auto s = pare::max_pool(x, w, y); !s) return s;\n"                                        \
  "  if (auto s = pare::average_pool(x, w, y); !s) return s;\n"                                    \
  "  if (auto s = pare::add(x, x, add, y); !s) return s;\n"                                        \
  "  return pare::apply_table(x, table, y);\n}\nint main() {}\n"

constexpr program ours[] = {
    {"pare/core/tensor_view.hpp", "#include <pare/core/tensor_view.hpp>\nint main() {}\n"},
    {"pare/inference.hpp", "#include <pare/inference.hpp>\nint main() {}\n"},
    {"pare/inference.hpp, linear s8",
     "#include <pare/inference.hpp>\n"
     "pare::status run(pare::matrix_view<const std::int8_t> x, const pare::packed_linear_view& w, "
     "pare::matrix_view<std::int8_t> y) {\n"
     "  return pare::linear(x, w, y);\n}\nint main() {}\n"},
    {"all operators", PARE_BENCH_ALL_OPERATORS},
    {"pare/inference.hpp, kernels elsewhere",
     "#define PARE_SEPARATE_KERNELS\n#include <pare/inference.hpp>\nint main() {}\n"},
    {"all operators, kernels elsewhere",
     "#define PARE_SEPARATE_KERNELS\n" PARE_BENCH_ALL_OPERATORS},
    {"the file with all kernels",
     "#define PARE_SEPARATE_KERNELS\n#define PARE_COMPILE_KERNELS\n"
     "#include <pare/inference.hpp>\nint main() {}\n"},
    {"pare/pare.hpp", "#include <pare/pare.hpp>\nint main() {}\n"},
};

/// Seconds that one run of the compiler takes; ends the program where it fails.
double compile(const program& p) {
  char folder[] = "/tmp/pare_bench_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    std::perror("a temporary folder");
    std::exit(1);
  }
  const std::string source = std::string(folder) + "/main.cpp",
                    object = std::string(folder) + "/main.o";
  std::ofstream(source) << p.text;
  const std::string command = std::string(PARE_BENCH_CXX) +
                              " -std=c++17 -O2 " PARE_BENCH_INCLUDES " -c " + source + " -o " +
                              object;
  const auto before = std::chrono::steady_clock::now();
  const int code = std::system(command.c_str());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - before;
  std::remove(source.c_str());
  std::remove(object.c_str());
  std::remove(folder);
  if (code != 0) {
    std::fprintf(stderr, "the compiler failed on %s:\n  %s\n", p.name, command.c_str());
    std::exit(1);
  }
  return taken.count();
}

}  // namespace

int main(int argc, char** argv) {
  const auto o =
      pare_bench::parse(argc, argv, "seconds to compile programs that include the library, at -O2");
  pare_bench::report report(
      o, "compile time, median; less is better, so a ratio of 2 means twice the limit's time");
  const std::vector<program> references = {empty, intrinsics, eigen};
  for (const program& p : ours) {
    if (std::string(p.name).find(o.filter) == std::string::npos) continue;
    std::vector<double> times[4];
    for (int i = 0; i < o.repetitions; ++i) {
      times[0].push_back(compile(p));
      for (std::size_t r = 0; r < references.size(); ++r)
        times[r + 1].push_back(compile(references[r]));
    }
    const auto median = [](std::vector<double> v) {
      std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
      return v[v.size() / 2];
    };
    pare_bench::row row;
    row.work = p.name;
    row.isa = "-";
    row.unit = "s";
    row.ours = median(times[0]);
    row.limit =
        median(std::string(p.name).find("inference") != std::string::npos ? times[2] : times[1]);
    for (std::size_t r = 0; r < references.size(); ++r)
      row.peers.emplace_back(references[r].name, median(times[r + 1]));
    report.add(row);
  }
  return report.finish();
}
