// What the demo found out: as a table for the terminal, as JSON, and as a page with a plot.
#ifndef PARE_EXAMPLES_DEMO_REPORT_HPP
#define PARE_EXAMPLES_DEMO_REPORT_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <pare/core/config.hpp>

namespace demo {

/// Decides colour and shape of a point.
enum class kind { baseline, distilled, pruned, factorized, quantized, combined };

/// A network in one of its forms.
struct row {
  std::string technique;
  kind family = kind::baseline;
  std::string layers;                      ///< widths, such as 784-512-256-10
  std::string stored;                      ///< what `bytes` counts
  double accuracy = 0;                     ///< percent of the test pictures
  pare::index_t bytes = 0;                 ///< to be stored
  pare::index_t packed_bytes = 0;          ///< in memory while it runs
  double us_1 = 0, us_64 = 0;              ///< microseconds a picture, batches of 1 and 64
  double eigen_us_1 = 0, eigen_us_64 = 0;  ///< of the same layers, dense float, in Eigen
};

struct report {
  std::string data;  ///< folder
  pare::index_t training_pictures = 0, test_pictures = 0;
  std::string processor, compiler, flags, isa;
  std::uint64_t seed = 0;
  bool quick = false;
  std::vector<row> rows;  ///< the first is what ratios refer to
};

/// The processor's name, where the system tells.
std::string processor_name();

void print_table(const report& r);

/// @return whether the file could be written
bool write_json(const report& r, const std::string& path);
bool write_html(const report& r, const std::string& path);

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_REPORT_HPP
