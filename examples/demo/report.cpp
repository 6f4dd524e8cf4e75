#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <utility>

namespace demo {
namespace {

/// printf into a string.
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
std::string
text(const char* format, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof(buffer), format, arguments);
  va_end(arguments);
  return buffer;
}

double ratio(const report& r, const row& one) {
  return static_cast<double>(r.rows.front().bytes) / static_cast<double>(one.bytes);
}
double lost(const report& r, const row& one) { return r.rows.front().accuracy - one.accuracy; }

/// "2.1 MB", "94.7 KB"; 1 KB is 1000 bytes.
std::string size_text(pare::index_t bytes) {
  const double b = static_cast<double>(bytes);
  return b >= 999500 ? text("%.2f MB", b / 1e6) : text(b >= 99950 ? "%.0f KB" : "%.1f KB", b / 1e3);
}

/// Three digits: "0.412", "4.12", "41.2", "412".
std::string three_digits(double v) {
  return text(v < 0.9995 ? "%.3f" : v < 9.995 ? "%.2f" : v < 99.95 ? "%.1f" : "%.0f", v);
}

std::string json_string(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += text("\\u%04x", c);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string html_text(const std::string& s) {
  std::string out;
  for (const char c : s) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

const char* name(kind k) {
  switch (k) {
    case kind::baseline: return "float";
    case kind::distilled: return "distilled";
    case kind::pruned: return "pruned";
    case kind::factorized: return "factorized";
    case kind::quantized: return "int8";
    case kind::combined: return "combined";
  }
  return "";
}

bool write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  return static_cast<bool>(file.flush());
}

// --- the plot ---

struct box {
  double left, top, right, bottom;
  bool overlaps(const box& o) const {
    return left < o.right && o.left < right && top < o.bottom && o.top < bottom;
  }
};

/// Accuracy against size, as SVG. Sizes are on a logarithmic axis, small ones to the left.
class plot {
 public:
  explicit plot(const report& r) : report_(r) {
    double most = 0, least = 1e300;
    for (const row& one : r.rows) {
      high_ = std::max(high_, one.accuracy);
      low_ = std::min(low_, one.accuracy);
      most = std::max(most, static_cast<double>(one.bytes));
      least = std::min(least, static_cast<double>(one.bytes));
    }
    const double margin = std::max(0.15 * (high_ - low_), 0.1);
    high_ += margin, low_ -= margin;
    first_ = std::log10(least / 1.5), last_ = std::log10(most * 1.9);
  }

  std::string svg() {
    std::string out = text(
        "<svg viewBox='0 0 %g %g' role='img' aria-label='Accuracy against size'>\n", width, height);
    out += axes() + allowance() + frontier();
    for (const row& one : report_.rows) taken_.push_back(around(one, radius + 1));
    for (const row& one : report_.rows) out += mark(one);
    for (const row& one : report_.rows) out += label(one);
    return out + "</svg>\n";
  }

 private:
  static constexpr double width = 1040, height = 520, radius = 7;
  static constexpr double left = 62, right = 1024, top = 16, bottom = 462;

  double x_of(double bytes) const {
    return left + (std::log10(bytes) - first_) / (last_ - first_) * (right - left);
  }
  double y_of(double accuracy) const {
    return bottom - (accuracy - low_) / (high_ - low_) * (bottom - top);
  }
  double x_of(const row& one) const { return x_of(static_cast<double>(one.bytes)); }
  double y_of(const row& one) const { return y_of(one.accuracy); }
  box around(const row& one, double by) const {
    return {x_of(one) - by, y_of(one) - by, x_of(one) + by, y_of(one) + by};
  }

  /// Grid lines at round accuracies and at sizes of 1, 2 and 5 times a power of ten.
  std::string axes() const {
    std::string out;
    const double span = high_ - low_;
    const double step = span > 8 ? 2 : span > 4 ? 1 : span > 1.6 ? 0.5 : 0.2;
    for (int i = static_cast<int>(std::ceil(low_ / step)); i * step <= high_; ++i) {
      const double a = i * step;
      out += text("<line class='grid' x1='%g' x2='%g' y1='%.1f' y2='%.1f'/>", left, right, y_of(a),
                  y_of(a));
      out += text("<text class='tick' x='%g' y='%.1f' text-anchor='end'>%.1f %%</text>\n", left - 8,
                  y_of(a) + 4, a);
    }
    for (int power = 0; power < 12; ++power) {
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double bytes = digit * std::pow(10.0, power);
        if (std::log10(bytes) < first_ || std::log10(bytes) > last_) continue;
        const double x = x_of(bytes);
        const bool is_mega = bytes >= 1e6;
        out += text("<line class='grid' x1='%.1f' x2='%.1f' y1='%g' y2='%g'/>", x, x, top, bottom);
        out += text("<text class='tick' x='%.1f' y='%g' text-anchor='middle'>%g %s</text>\n", x,
                    bottom + 20, bytes / (is_mega ? 1e6 : 1e3), is_mega ? "MB" : "KB");
      }
    }
    out += text("<text class='axis' x='%g' y='%g' text-anchor='middle'>size, logarithmic</text>\n",
                (left + right) / 2, bottom + 46);
    return out;
  }

  /// The band within one point of the first row.
  std::string allowance() const {
    const double teacher = report_.rows.front().accuracy;
    const double lower = std::min(y_of(teacher - 1), bottom);
    std::string out = text("<rect class='band' x='%g' y='%.1f' width='%g' height='%.1f'/>", left,
                           y_of(teacher), right - left, lower - y_of(teacher));
    return out + text("<text class='note' x='%g' y='%.1f'>within one point of the teacher</text>\n",
                      left + 10, lower - 8);
  }

  /// Joins the rows that no other row beats in both size and accuracy.
  std::string frontier() const {
    std::vector<const row*> by_size;
    for (const row& one : report_.rows) by_size.push_back(&one);
    std::sort(by_size.begin(), by_size.end(), [](const row* a, const row* b) {
      return std::pair(a->bytes, -a->accuracy) < std::pair(b->bytes, -b->accuracy);
    });
    std::string points;
    double best = -1;
    for (const row* one : by_size) {
      if (one->accuracy <= best) continue;
      best = one->accuracy;
      points += text("%.1f,%.1f ", x_of(*one), y_of(*one));
    }
    return "<polyline class='frontier' points='" + points + "'/>\n";
  }

  std::string mark(const row& one) const {
    return text("<circle class='%s' cx='%.1f' cy='%.1f' r='%g'><title>", name(one.family),
                x_of(one), y_of(one), radius) +
           html_text(one.technique) +
           text(": %.2f %%, %s, %.1f times smaller</title></circle>\n", one.accuracy,
                size_text(one.bytes).c_str(), ratio(report_, one));
  }

  /// The name beside the mark, at the first of several places where it covers nothing.
  std::string label(const row& one) {
    constexpr double character = 6.6, line = 15;
    const double w = character * static_cast<double>(one.technique.size());
    const double x = x_of(one), y = y_of(one);
    struct place {
      double x, y;
      const char* anchor;
    };
    std::vector<place> places;
    for (const double far : {0.0, 14.0, 28.0, 42.0}) {
      places.push_back({x + 12, y + 4 - far, "start"});
      places.push_back({x - 12, y + 4 - far, "end"});
      places.push_back({x + 12, y + 4 + far, "start"});
      places.push_back({x - 12, y + 4 + far, "end"});
      places.push_back({x, y - 13 - far, "middle"});
      places.push_back({x, y + 22 + far, "middle"});
    }
    for (const place& p : places) {
      const double start = p.anchor[0] == 's' ? p.x : p.anchor[0] == 'e' ? p.x - w : p.x - w / 2;
      const box b{start - 2, p.y - line + 3, start + w + 2, p.y + 4};
      const auto covers = [&](const box& other) { return b.overlaps(other); };
      if (b.left < left || b.right > right || b.top < top || b.bottom > bottom ||
          std::any_of(taken_.begin(), taken_.end(), covers)) {
        continue;
      }
      taken_.push_back(b);
      std::string out;
      if (std::abs(p.y - 4 - y) > 24) {
        out += text("<line class='leader' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>", x, y, p.x,
                    p.y - 4);
      }
      return out +
             text("<text class='label' x='%.1f' y='%.1f' text-anchor='%s'>", p.x, p.y, p.anchor) +
             html_text(one.technique) + "</text>\n";
    }
    return {};  // the mark's title still tells
  }

  const report& report_;
  double low_ = 1e300, high_ = 0, first_ = 0, last_ = 0;
  std::vector<box> taken_;
};

// --- the page ---

const char* const style = R"css(
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #5d6570; --line: #e4e2dd;
  --band: #2f9e6b14; --float: #4a5361; --distilled: #8250c4; --pruned: #c9680f;
  --factorized: #0f8f8a; --int8: #2563c9; --combined: #d02c62; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171b; --card: #1b1f25; --ink: #e9ebee; --soft: #9aa4b0; --line: #2c323a;
  --band: #3ecf8e17; --float: #b9c2cd; --distilled: #b892f0; --pruned: #f0a04b;
  --factorized: #43c9c2; --int8: #74a7ff; --combined: #ff7ba3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 0 0 12px; }
p { margin: 0; } .soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 22px 24px; margin-top: 20px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(225px, 1fr)); gap: 16px;
  margin-top: 28px; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 18px 20px; border-top: 4px solid var(--colour); }
.figure b { display: block; font-size: 30px; line-height: 1.15; letter-spacing: -0.01em; }
.figure span { color: var(--soft); font-size: 14px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 10px; color: var(--soft);
  font-size: 13px; }
.dot { display: inline-block; width: 11px; height: 11px; border-radius: 50%;
  background: var(--colour); margin-right: 7px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.grid { stroke: var(--line); } .tick, .axis, .note { fill: var(--soft); }
.note { font-style: italic; }
.label { fill: var(--ink); stroke: var(--card); stroke-width: 4px; stroke-linejoin: round;
  paint-order: stroke; } .band { fill: var(--band); }
.leader { stroke: var(--soft); stroke-width: 0.8; }
.frontier { fill: none; stroke: var(--soft); stroke-width: 1.4; stroke-dasharray: 2 5;
  stroke-linecap: round; }
circle { stroke: var(--card); stroke-width: 2; }
circle.float { fill: var(--float); } circle.distilled { fill: var(--distilled); }
circle.pruned { fill: var(--pruned); } circle.factorized { fill: var(--factorized); }
circle.int8 { fill: var(--int8); } circle.combined { fill: var(--combined); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: 14px; }
th, td { padding: 7px 10px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; vertical-align: bottom; line-height: 1.3; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tr:last-child td { border-bottom: 0; }
small { color: var(--soft); font-size: 12.5px; display: block; white-space: normal; max-width: 38em;
  padding-left: 18px; line-height: 1.35; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0;
  font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
)css";

std::string dot(kind k) { return text("<i class='dot' style='--colour: var(--%s)'></i>", name(k)); }

std::string figure(kind k, const std::string& big, const std::string& small) {
  return text("<div class='figure' style='--colour: var(--%s)'><b>", name(k)) + html_text(big) +
         "</b><span>" + html_text(small) + "</span></div>\n";
}

/// "0.31 points below the teacher"
std::string distance(double points) {
  return std::abs(points) < 0.005
             ? std::string("as accurate as the teacher")
             : text("%.2f points %s the teacher", std::abs(points), points > 0 ? "below" : "above");
}

/// The figures that a hurried reader takes along.
std::string headlines(const report& r) {
  const row *smallest = nullptr, *int8 = nullptr, *alone = nullptr, *distilled = nullptr;
  for (const row& one : r.rows) {
    if (one.family == kind::combined && lost(r, one) <= 1 &&
        (smallest == nullptr || one.bytes < smallest->bytes)) {
      smallest = &one;
    }
    if (one.family == kind::quantized) int8 = &one;
    if (one.family == kind::distilled) distilled = &one;
    if (one.family == kind::baseline && &one != &r.rows.front()) alone = &one;
  }
  std::string out = "<div class='figures'>\n";
  const double teacher_us = r.rows.front().us_64;
  if (smallest != nullptr) {
    out += figure(kind::combined, text("%.0f× smaller", ratio(r, *smallest)),
                  smallest->technique + ": " + size_text(smallest->bytes) + ", " +
                      distance(lost(r, *smallest)));
    out += figure(kind::combined, text("%.0f× faster", teacher_us / smallest->us_64),
                  "than the float teacher in Eigen, the same " + size_text(smallest->bytes) +
                      ", batches of 64");
  }
  if (int8 != nullptr) {
    out += figure(kind::quantized, text("%.1f× faster", int8->eigen_us_64 / int8->us_64),
                  int8->technique + " than the same layers in Eigen float, batches of 64; " +
                      distance(lost(r, *int8)));
  }
  if (alone != nullptr && distilled != nullptr) {
    out += figure(kind::distilled, text("%+.2f points", distilled->accuracy - alone->accuracy),
                  "for a student that learns from the teacher, against the same student alone");
  }
  return out + "</div>\n";
}

std::string table(const report& r) {
  std::string out =
      "<div class='scroll'><table>\n<tr><th>technique</th><th>accuracy</th><th>size</th>"
      "<th>smaller</th><th>µs a picture<br>batch 1</th><th><br>batch 64</th>"
      "<th>speed-up<br>batch 1</th><th><br>batch 64</th></tr>\n";
  for (const row& one : r.rows) {
    out += "<tr><td>" + dot(one.family) + html_text(one.technique) + "<small>" +
           html_text(one.layers + "; " + one.stored) + "</small></td>";
    out += text("<td>%.2f %%</td><td>%s</td><td>%.1f×</td><td>%s</td><td>%s</td>", one.accuracy,
                size_text(one.bytes).c_str(), ratio(r, one), three_digits(one.us_1).c_str(),
                three_digits(one.us_64).c_str());
    out += text("<td>%.2f×</td><td>%.2f×</td></tr>\n", one.eigen_us_1 / one.us_1,
                one.eigen_us_64 / one.us_64);
  }
  return out + "</table></div>\n";
}

std::string fact(const char* term, const std::string& description) {
  return std::string("<dt>") + term + "</dt><dd>" + html_text(description) + "</dd>\n";
}

}  // namespace

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

void print_table(const report& r) {
  std::size_t widest = 9;
  for (const row& one : r.rows) widest = std::max(widest, one.technique.size());
  const int w = static_cast<int>(widest);
  std::printf("\n  %-*s  %8s  %9s  %7s  %17s  %17s\n", w, "", "", "", "", "us a picture",
              "x Eigen float");
  std::printf("  %-*s  %8s  %9s  %7s  %8s %8s  %8s %8s\n", w, "technique", "accuracy", "bytes",
              "ratio", "batch 1", "batch 64", "batch 1", "batch 64");
  for (const row& one : r.rows) {
    std::printf("  %-*s  %6.2f %%  %9td  %6.1fx  %8s %8s  %8.2f %8.2f\n", w, one.technique.c_str(),
                one.accuracy, one.bytes, ratio(r, one), three_digits(one.us_1).c_str(),
                three_digits(one.us_64).c_str(), one.eigen_us_1 / one.us_1,
                one.eigen_us_64 / one.us_64);
  }
  std::printf(
      "\n  accuracy   on the %td test pictures, by the network that is timed\n"
      "  bytes      weights and all that belongs to them: codes, scales, indices, biases\n"
      "  us         one thread, median; %s kernels\n"
      "  x Eigen    the same layers, dense, in Eigen float, timed in turns with it\n\n",
      r.test_pictures, r.isa.c_str());
}

bool write_json(const report& r, const std::string& path) {
  std::string out = "{\n";
  const auto field = [&](const char* key, const std::string& value) {
    out += std::string("  \"") + key + "\": " + value + ",\n";
  };
  field("data", json_string(r.data));
  field("training_pictures", text("%td", r.training_pictures));
  field("test_pictures", text("%td", r.test_pictures));
  field("quick", r.quick ? "true" : "false");
  field("seed", text("%llu", static_cast<unsigned long long>(r.seed)));
  field("machine", json_string(r.processor));
  field("isa", json_string(r.isa));
  field("compiler", json_string(r.compiler));
  field("flags", json_string(r.flags));
  field("threads_timed", "1");
  out += "  \"rows\": [\n";
  for (const row& one : r.rows) {
    out += "    {\"technique\": " + json_string(one.technique);
    out += ", \"family\": " + json_string(name(one.family));
    out += ", \"layers\": " + json_string(one.layers);
    out += ", \"stored\": " + json_string(one.stored);
    out += text(
        ", \"accuracy\": %.4f, \"bytes\": %td, \"packed_bytes\": %td, \"ratio\": %.3f, "
        "\"us_batch_1\": %.4f, \"us_batch_64\": %.4f, \"eigen_us_batch_1\": %.4f, "
        "\"eigen_us_batch_64\": %.4f, \"speedup_batch_1\": %.3f, \"speedup_batch_64\": %.3f}",
        one.accuracy, one.bytes, one.packed_bytes, ratio(r, one), one.us_1, one.us_64,
        one.eigen_us_1, one.eigen_us_64, one.eigen_us_1 / one.us_1, one.eigen_us_64 / one.us_64);
    out += &one == &r.rows.back() ? "\n" : ",\n";
  }
  out += "  ]\n}\n";
  return write_file(path, out);
}

bool write_html(const report& r, const std::string& path) {
  std::string out =
      "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
      "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
      "<title>pare: one classifier, made small</title>\n<style>";
  out += style;
  out += "</style>\n</head>\n<body>\n<main>\n<h1>One classifier, made small</h1>\n";
  out += text(
      "<p class='soft'>A network for pictures, compressed by each technique of pare and run "
      "through "
      "its kernels. Accuracy is that of the compressed network on %td pictures it has never "
      "seen.</p>\n",
      r.test_pictures);
  out += headlines(r);
  out += "<section><h2>Accuracy against size</h2>\n<p class='legend'>";
  for (const kind k : {kind::baseline, kind::distilled, kind::pruned, kind::factorized,
                       kind::quantized, kind::combined}) {
    out += "<span>" + dot(k) + name(k) + "</span>";
  }
  out += "</p>\n" + plot(r).svg() + "</section>\n";
  out += "<section><h2>All figures</h2>\n" + table(r) + "</section>\n";
  out += "<section><h2>How they were measured</h2>\n<dl>\n";
  out +=
      fact("pictures",
           r.data + text(": %td to train on, %td to test", r.training_pictures, r.test_pictures) +
               (r.quick ? ", a short training (--quick)" : ""));
  out += fact("size",
              "what has to be stored: weights, and the scales, indices and biases that belong to "
              "them; what is packed for this processor at start-up adds padding");
  out += fact("time", "the whole network on one thread, median of repeated rounds");
  out +=
      fact("speed-up",
           "against the same layers, dense, in Eigen float, timed in turns with it; rows of dense "
           "float are Eigen itself");
  out += fact("machine", r.processor + ", " + r.isa + " kernels");
  out += fact("compiler", r.compiler + " " + r.flags);
  out += fact("seed", text("%llu: the same seed gives the same accuracies",
                           static_cast<unsigned long long>(r.seed)));
  out += "</dl></section>\n</main>\n</body>\n</html>\n";
  return write_file(path, out);
}

}  // namespace demo
