// A program of a user that only runs networks: what pare::inference must bring.
#include <pare/inference.hpp>

#if defined(EIGEN_CORE_H) || defined(XSIMD_HPP)
#error "pare/inference.hpp brings a dependency"
#endif

#include <cstdio>

namespace {

alignas(64) std::byte memory[1024];

int fail(const pare::error& e) {
  std::printf("%s: %s\n", e.subject, e.message);
  return 1;
}

}  // namespace

int main() {
  const std::int8_t codes[2][3] = {{1, 2, 3}, {4, 5, 6}};
  const float scale[] = {0.5f};
  const pare::affine_view<std::int8_t, pare::extents<pare::index_t, 2, 3>> w{
      pare::view(codes), pare::view(scale), {}, pare::per_tensor};

  const auto layer = pare::pack_linear(w, pare::vector_view<const float>(), pare::linear_options{},
                                       pare::workspace(memory));
  if (!layer) return fail(layer.error());

  const std::int8_t x[1][3] = {{10, 20, 30}};
  std::int32_t y[1][2] = {};
  if (const pare::status s = pare::linear(pare::view(x), *layer, pare::view(y)); !s) {
    return fail(s.error());
  }
  std::printf("pare %s: %d %d\n", PARE_VERSION_STRING, int(y[0][0]), int(y[0][1]));
  return y[0][0] == 140 && y[0][1] == 320 ? 0 : 1;
}
