// Scales that move from one layer into the next.
#include <pare/quantize/rescale.hpp>

#include "quantize/calibration.hpp"

using pare::index_t;
using pare::status;

TEST_CASE("inputs are multiplied and outputs divided, in any layout") {
  const auto w = pare_test::random_normal<float>({3, 4}, 1);
  const float of_inputs[] = {2, 0.5f, 3, 1}, of_outputs[] = {4, 0.1f, 1};
  auto a = pare_test::column_major_copy(w), b = pare_test::column_major_copy(w);
  float bias[] = {1, 2, 3};
  REQUIRE(pare::multiply_inputs(a.view(), pare::view(of_inputs)) == status::ok);
  REQUIRE(pare::divide_outputs(b.view(), pare::view(bias), pare::view(of_outputs)) == status::ok);
  for (index_t r = 0; r < 3; ++r) {
    CHECK(bias[r] == static_cast<float>(r + 1) / of_outputs[r]);
    for (index_t i = 0; i < 4; ++i) {
      CHECK(a.view()(r, i) == w(r, i) * of_inputs[i]);
      CHECK(b.view()(r, i) == doctest::Approx(w(r, i) / of_outputs[r]));
    }
  }
  CHECK(pare::divide_outputs(b.view(), {}, pare::view(of_outputs)) == status::ok);
}

TEST_CASE("what rescaling refuses leaves weights and bias as they were") {
  auto w = pare_test::random_normal<float>({2, 2}, 2);
  const auto before = w;
  float bias[] = {1, 3e38f};
  const float zero[] = {1, 0}, good[] = {1, 2}, tiny[] = {1, 1e-3f}, three[] = {1, 1, 1};
  CHECK(pare::multiply_inputs(w.view(), pare::view(zero)) == status::out_of_range);
  CHECK(pare::multiply_inputs(w.view(), pare::view(three)) == status::shape_mismatch);
  CHECK(pare::divide_outputs(w.view(), pare::view(bias), pare::view(three)) ==
        status::shape_mismatch);
  CHECK(pare::divide_outputs(w.view(),
                             pare::view(three, 3).data_handle() == nullptr
                                 ? pare::channel_view<float>{}
                                 : pare::channel_view<float>(pare::view(bias, 1)),
                             pare::view(good)) == status::shape_mismatch);
  CHECK(pare::divide_outputs(w.view(), pare::view(bias), pare::view(tiny)) == status::overflow);
  CHECK(pare_test::equal(w, before));
  w(1, 0) = 3e38f;
  CHECK(pare::multiply_inputs(w.view(), pare::view(good)) == status::ok);
  const float large[] = {1e3f, 1};
  CHECK(pare::multiply_inputs(w.view(), pare::view(large)) == status::overflow);
  w(1, 0) = w(1, 0) * 1e10f;
  CHECK(pare::multiply_inputs(w.view(), pare::view(good)) == status::non_finite);
  CHECK(bias[0] == 1);
}
