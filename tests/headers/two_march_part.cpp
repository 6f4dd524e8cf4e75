// Compiled twice: PARE_TEST_PART_NAME is `baseline`, and `wide` with a larger instruction set.
#include "two_march.hpp"

#define PARE_TEST_TEXT2(x) #x
#define PARE_TEST_TEXT(x) PARE_TEST_TEXT2(x)

namespace PARE_TEST_PART_NAME {

const char* abi() { return PARE_TEST_TEXT(PARE_ABI); }

pare::status add_index(pare::strided_matrix_view<float> m) {
  if (m.empty()) return {pare::status_code::empty, "the matrix has no elements", "m"};
  pare::for_each_element(m, [](float& x, pare::index_t i) { x += static_cast<float>(i); });
  return {};
}

pare::result<float> sum(pare::tensor_view<const float, pare::dextents<pare::index_t, 2>> m) {
  float total = 0;
  pare::index_t at = -1;
  pare::for_each_element_while(m, [&](float x, pare::index_t i) {
    at = i;
    total += x;
    return pare::detail::is_finite(x);
  });
  if (!pare::detail::is_finite(total)) {
    return {pare::status_code::non_finite, "not a number", "m", pare::position_kind::element, at};
  }
  return total;
}

pare::tensor<float, 2> make(pare::index_t rows, pare::index_t columns) {
  return pare::tensor<float, 2>({rows, columns});
}

pare::result<pare::linear_layer> pack(pare::matrix_view<const float> w) {
  const auto w8 = pare::quantize(w);
  if (!w8) return w8.error();
  return pare::pack_linear(w8->view());
}

pare::status run(pare::matrix_view<const float> x, const pare::packed_linear_view& layer,
                 pare::matrix_view<float> y) {
  return pare::linear(x, layer, y);
}

pare::status validate(const pare::csr_view<float>& m, pare::index_t capacity) {
  return pare::validate(m, capacity);
}

}  // namespace PARE_TEST_PART_NAME
