// Two translation units with different instruction sets link into one program, keep their own
// loops apart, and understand each other's views, tensors, statuses and formats.
#include "two_march.hpp"

#include <cstdio>
#include <cstring>
#include <limits>

namespace {

int failures = 0;

void check(bool condition, const char* what) {
  if (condition) return;
  std::printf("FAILED: %s\n", what);
  ++failures;
}

bool machine_runs_the_wide_part() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

}  // namespace

int main() {
  std::printf("baseline %s, wide %s\n", baseline::abi(), wide::abi());
  check(std::strcmp(baseline::abi(), wide::abi()) != 0, "the ABI tag tells the two apart");
  if (!machine_runs_the_wide_part()) {
    std::puts("this machine cannot run the wide part: linked only");
    return failures == 0 ? 0 : 1;
  }

  // Memory made by one, written by the other, read by both.
  pare::tensor<float, 2> a = wide::make(5, 7), b = baseline::make(5, 7);
  check(baseline::add_index(a.view()).is_ok(), "baseline writes");
  check(wide::add_index(b.view()).is_ok(), "wide writes");
  check(std::memcmp(a.data(), b.data(), sizeof(float) * 35) == 0, "both write the same bits");
  check(*baseline::sum(b.view()) == 595 && *wide::sum(a.view()) == 595, "both read the same sum");

  // A layer packed by one and run by the other: the same bits whoever does what.
  const auto layer_of_baseline = baseline::pack(a.view()), layer_of_wide = wide::pack(a.view());
  check(layer_of_baseline && layer_of_wide, "both pack");
  pare::tensor<float, 2> x = baseline::make(3, 7);
  check(wide::add_index(x.view()).is_ok(), "wide writes the activations");
  pare::tensor<float, 2> first({3, 5});
  check(baseline::run(x.view(), *layer_of_baseline, first.view()).is_ok(), "baseline runs its own");
  const auto same = [&](const char* what, auto run, const pare::linear_layer& layer) {
    pare::tensor<float, 2> y({3, 5});
    check(run(x.view(), layer, y.view()).is_ok(), what);
    check(std::memcmp(y.data(), first.data(), sizeof(float) * 15) == 0, what);
  };
  same("wide runs its own", wide::run, *layer_of_wide);
  same("wide runs what baseline packed", wide::run, *layer_of_baseline);
  same("baseline runs what wide packed", baseline::run, *layer_of_wide);

  // Errors, in both directions.
  a(2, 3) = std::numeric_limits<float>::quiet_NaN();
  for (const auto& sum : {baseline::sum(a.view()), wide::sum(a.view())}) {
    check(sum == pare::status::non_finite, "the code arrives");
    check(sum.error().position == 17, "the position arrives");
    check(std::strcmp(sum.error().subject, "m") == 0, "the subject arrives");
  }
  check(wide::add_index({}) == pare::status::empty, "an empty view arrives");

  // A format.
  const std::uint32_t offsets[] = {0, 1, 2}, columns[] = {1, 3};
  const float values[] = {1, 2};
  const pare::csr_view<float> csr{2, 4, offsets, columns, values};
  check(baseline::validate(csr, 2).is_ok() && wide::validate(csr, 2).is_ok(), "CSR arrives");
  check(wide::validate(csr, 1) == pare::status::out_of_range, "CSR capacity arrives");

  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
