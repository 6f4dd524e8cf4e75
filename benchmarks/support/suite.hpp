// The one form of all benchmarks: rows of work, each with our figure, the machine's limit and the
// peers, measured in one run.
//
// Google Benchmark does the timing; contenders of a row are repeated in random order, so that drift
// of the clock hits all of them, and the median counts. A table for people goes to stdout, rows in
// JSON to the file of --json.
#ifndef PARE_BENCHMARKS_SUPPORT_SUITE_HPP
#define PARE_BENCHMARKS_SUPPORT_SUITE_HPP

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pare_bench {

/// What the user asked for on the command line.
struct options {
  std::string json;    ///< file for the rows; empty: none
  std::string filter;  ///< only rows whose work contains this
  std::string isa;     ///< force this instruction set; empty: the best one; "all": each in turn
  int threads = 1;
  double seconds = 0.05;  ///< for one repetition of one contender
  int repetitions = 5;
};

/// One line of the table.
struct row {
  std::string work;
  std::string isa;
  int threads = 1;
  std::string unit;
  double ours = 0;
  double limit = 0;  ///< 0: none
  std::vector<std::pair<std::string, double>> peers;
};

/// Something that does the work once. A figure is `amount` divided by the time of a call.
struct contender {
  std::string name;
  double amount = 0;
  std::function<void()> run;
};

/// Reads --json FILE, --filter TEXT, --isa NAME, --threads N, --quick, --help; ends the program on
/// --help and on words it does not know.
options parse(int argc, char** argv, const std::string& what);

/// amount / seconds for each contender: the median of the repetitions, by the CPU time of the
/// calling thread for one thread and by the wall clock otherwise.
std::vector<double> measure(const std::vector<contender>& contenders, const options& o);

/// Prints rows as they come and writes the JSON at the end.
class report {
 public:
  explicit report(const options& o, std::string title);
  void add(const row& r);
  /// Writes the JSON. Returns the program's exit code.
  int finish() const;
  const std::vector<row>& rows() const { return rows_; }

 private:
  options options_;
  std::vector<row> rows_;
};

/// A separate section of the table.
void heading(const std::string& text);

}  // namespace pare_bench

#endif  // PARE_BENCHMARKS_SUPPORT_SUITE_HPP
