#include "suite.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "machine.hpp"

namespace pare_bench {
namespace {

[[noreturn]] void stop(const std::string& message) {
  std::fprintf(stderr, "%s\n(--help shows what there is)\n", message.c_str());
  std::exit(2);
}

/// Takes the time of every repetition and prints nothing.
class collector : public benchmark::BenchmarkReporter {
 public:
  explicit collector(bool wall_clock) : wall_clock_(wall_clock) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      const double total = wall_clock_ ? run.real_accumulated_time : run.cpu_accumulated_time;
      const std::size_t index = std::strtoul(run.run_name.function_name.c_str(), nullptr, 10);
      if (seconds.size() <= index) seconds.resize(index + 1);
      seconds[index].push_back(total / static_cast<double>(run.iterations));
    }
  }
  std::vector<std::vector<double>> seconds;

 private:
  bool wall_clock_;
};

double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof(text),
                std::fabs(x) >= 100  ? "%.0f"
                : std::fabs(x) >= 10 ? "%.1f"
                                     : "%.3f",
                x);
  return text;
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

options parse(int argc, char** argv, const std::string& what) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) stop(word + " needs a value");
      return argv[++i];
    };
    if (word == "--json") {
      o.json = value();
    } else if (word == "--filter") {
      o.filter = value();
    } else if (word == "--isa") {
      o.isa = value();
    } else if (word == "--threads") {
      o.threads = std::atoi(value().c_str());
      if (o.threads < 1) stop("--threads needs a number of at least 1");
    } else if (word == "--quick") {
      o.seconds = 0.01;
      o.repetitions = 3;
    } else if (word == "--help" || word == "-h") {
      std::printf(
          "%s\n\n"
          "  --json FILE     write the rows as JSON\n"
          "  --filter TEXT   only rows whose work contains TEXT\n"
          "  --isa NAME      scalar, avx2, avxvnni, avx512vnni, or all (default: the best this "
          "machine has)\n"
          "  --threads N     threads that share the work (default 1)\n"
          "  --quick         fewer and shorter repetitions\n",
          what.c_str());
      std::exit(0);
    } else {
      stop("unknown option " + word);
    }
  }
  if (!o.json.empty() && !std::ofstream(o.json, std::ios::app)) stop("cannot write to " + o.json);
  return o;
}

std::vector<double> measure(const std::vector<contender>& contenders, const options& o) {
  static const bool initialized = [] {
    static char name[] = "bench", interleave[] = "--benchmark_enable_random_interleaving=true";
    static char* argv[] = {name, interleave, nullptr};
    int argc = 2;
    benchmark::Initialize(&argc, argv);
    return true;
  }();
  static_cast<void>(initialized);
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    auto* b = benchmark::RegisterBenchmark(std::to_string(i).c_str(),
                                           [&run = contenders[i].run](benchmark::State& state) {
                                             for (auto _ : state) run();
                                           });
    b->MinTime(o.seconds)->Repetitions(o.repetitions);
    if (o.threads > 1) b->UseRealTime();
  }
  collector times(o.threads > 1);
  benchmark::RunSpecifiedBenchmarks(&times);
  benchmark::ClearRegisteredBenchmarks();
  std::vector<double> figures;
  times.seconds.resize(contenders.size());
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const double seconds = median(times.seconds[i]);
    figures.push_back(seconds > 0 ? contenders[i].amount / seconds : 0);
  }
  return figures;
}

report::report(const options& o, std::string title) : options_(o) {
  std::printf("%s\n%s\n%s\n", title.c_str(), machine_description().c_str(),
              compiler_description().c_str());
}

void heading(const std::string& text) { std::printf("\n%s\n", text.c_str()); }

void report::add(const row& r) {
  if (rows_.empty() || rows_.back().unit != r.unit || rows_.back().peers.size() != r.peers.size()) {
    std::printf("%-34s %-11s %7s %9s %9s %7s", "work", "isa", "threads", r.unit.c_str(), "limit",
                "ratio");
    for (const auto& p : r.peers) std::printf("  %22s %6s", p.first.c_str(), "ratio");
    std::printf("\n");
  }
  std::printf("%-34s %-11s %7d %9s", r.work.c_str(), r.isa.c_str(), r.threads,
              number(r.ours).c_str());
  if (r.limit > 0) {
    std::printf(" %9s %6.1f%%", number(r.limit).c_str(), 100 * r.ours / r.limit);
  } else {
    std::printf(" %9s %7s", "-", "-");
  }
  for (const auto& p : r.peers) {
    if (p.second > 0) {
      std::printf("  %22s %5.2fx", number(p.second).c_str(), r.ours / p.second);
    } else {
      std::printf("  %22s %6s", "-", "-");
    }
  }
  std::printf("\n");
  std::fflush(stdout);
  rows_.push_back(r);
}

int report::finish() const {
  if (rows_.empty()) {
    std::fprintf(stderr, "no row matches --filter %s\n", options_.filter.c_str());
    return 2;
  }
  if (options_.json.empty()) return 0;
  std::ostringstream out;
  out << "{\n  \"machine\": " << quoted(machine_description())
      << ",\n  \"compiler\": " << quoted(compiler_description()) << ",\n  \"rows\": [";
  const char* separator = "\n";
  for (const row& r : rows_) {
    out << separator << "    {\"work\": " << quoted(r.work) << ", \"isa\": " << quoted(r.isa)
        << ", \"threads\": " << r.threads << ", \"unit\": " << quoted(r.unit)
        << ", \"ours\": " << r.ours << ", \"limit\": ";
    if (r.limit > 0) {
      out << r.limit;
    } else {
      out << "null";
    }
    out << ", \"peers\": {";
    for (std::size_t i = 0; i < r.peers.size(); ++i) {
      out << (i > 0 ? ", " : "") << quoted(r.peers[i].first) << ": ";
      if (r.peers[i].second > 0) {
        out << r.peers[i].second;
      } else {
        out << "null";
      }
    }
    out << "}}";
    separator = ",\n";
  }
  out << "\n  ]\n}\n";
  std::ofstream file(options_.json, std::ios::trunc);
  if (!(file << out.str()) || !file.flush()) {
    std::fprintf(stderr, "cannot write to %s\n", options_.json.c_str());
    return 1;
  }
  std::printf("\nrows written to %s\n", options_.json.c_str());
  return 0;
}

}  // namespace pare_bench
