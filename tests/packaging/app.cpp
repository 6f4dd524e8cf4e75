// A program of a user that compresses on the host: what pare::pare must bring.
#include <pare/pare.hpp>

#include <cmath>
#include <cstdio>

int main() {
  pare::tensor<float, 2> w({3, 4}), x({2, 4}), y({2, 3});
  pare::to_eigen(w.view()).setConstant(0.5f);
  pare::to_eigen(x.view()).setConstant(2.0f);

  pare::affine each_row;
  each_row.axis = 0;
  const auto w8 = pare::quantize(w.view(), each_row).value();
  const auto layer = pare::pack_linear(w8.view()).value();
  if (const pare::status s = pare::linear(x.view(), layer, y.view()); !s) {
    std::printf("%s: %s\n", s.error().subject, s.error().message);
    return 1;
  }
  std::printf("pare %s: %g\n", PARE_VERSION_STRING, static_cast<double>(y(1, 2)));
  return std::fabs(y(1, 2) - 4.0f) < 0.05f ? 0 : 1;
}
