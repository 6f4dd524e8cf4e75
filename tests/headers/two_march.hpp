// What two translation units with different instruction sets hand to each other.
#ifndef PARE_TESTS_HEADERS_TWO_MARCH_HPP
#define PARE_TESTS_HEADERS_TWO_MARCH_HPP

#include <pare/pare.hpp>

#define PARE_TEST_PART(part)                                                                   \
  namespace part {                                                                             \
  const char* abi();                                                                           \
  pare::status add_index(pare::strided_matrix_view<float> m);                                  \
  pare::result<float> sum(pare::tensor_view<const float, pare::dextents<pare::index_t, 2>> m); \
  pare::tensor<float, 2> make(pare::index_t rows, pare::index_t columns);                      \
  pare::result<pare::linear_layer> pack(pare::matrix_view<const float> w);                     \
  pare::status run(pare::matrix_view<const float> x, const pare::packed_linear_view& layer,    \
                   pare::matrix_view<float> y);                                                \
  pare::status validate(const pare::csr_view<float>& m, pare::index_t capacity);               \
  }

PARE_TEST_PART(baseline)
PARE_TEST_PART(wide)

#endif  // PARE_TESTS_HEADERS_TWO_MARCH_HPP
