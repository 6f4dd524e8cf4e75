// Additions of random codes by random scales; see check_linear.cpp.
#include <pare/kernels/add.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

using pare::index_t;

std::uint8_t a[300], b[300], y[300];

template <class Code>
void check(board::random& random) {
  using vector = pare::dextents<index_t, 1>;
  constexpr std::int32_t least = std::is_signed_v<Code> ? -128 : 0;
  const auto scale = [&] { return random.real(0.001f, 0.5f); };
  const auto zero = [&] { return least + random.between(0, 255); };
  pare::add_options options;
  options.act = pare::activation(random.between(0, 2));
  options.rule = random.between(0, 1) == 0 ? pare::requantization::double_rounding
                                           : pare::requantization::single_rounding;
  const auto p =
      pare::make_add_params<Code>({scale(), zero()}, {scale(), zero()}, {scale(), zero()}, options);
  CHECK(p);
  const index_t n = random.between(1, 290);
  for (index_t i = 0; i < n; ++i) {
    a[i] = std::uint8_t(random.between(0, 255)), b[i] = std::uint8_t(random.between(0, 255));
  }
  for (std::uint8_t& code : y) code = 0x5a;  // what lies behind the sum must stay as it is
  const auto view = [n](std::uint8_t* codes) {
    return pare::tensor_view<Code, vector>(reinterpret_cast<Code*>(codes), n);
  };
  CHECK(pare::add(view(a), view(b), *p, view(y)));
  board::print_hash(y, sizeof(y));
}

}  // namespace

int main() {
  board::random random(5);
  for (int i = 0; i < 250; ++i) {
    check<std::int8_t>(random);
    check<std::uint8_t>(random);
  }
  return 0;
}
