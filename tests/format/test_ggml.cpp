// Blocks by hand: where each code lies.
#include <pare/format/ggml.hpp>

#include <doctest/doctest.h>

namespace ggml = pare::ggml;

TEST_CASE("blocks of 32") {
  float x[32];
  ggml::q8_0 q8;
  q8.scale = pare::half(0.5f);
  q8.codes[31] = -128;
  ggml::decode(q8, x);
  CHECK(x[31] == -64.0f);

  ggml::q4_0 q4;
  q4.scale = pare::half(2.0f);
  q4.codes[3] = 0x1f;
  ggml::decode(q4, x);
  CHECK(x[3] == 14.0f);
  CHECK(x[19] == -14.0f);

  ggml::q4_1 q41;
  q41.scale = pare::half(2.0f);
  q41.min = pare::half(-1.0f);
  q41.codes[0] = 0x21;
  ggml::decode(q41, x);
  CHECK(x[0] == 1.0f);
  CHECK(x[16] == 3.0f);

  ggml::mxfp4 m;
  m.scale.bits = 128;
  m.codes[1] = 0xf7;
  m.codes[2] = 0x08;
  ggml::decode(m, x);
  CHECK(x[1] == 12.0f);
  CHECK(x[17] == -12.0f);
  CHECK(1.0f / x[2] > 0);  // no -0
}

TEST_CASE("blocks of 256") {
  float x[256];
  ggml::q4_k q4;
  q4.scale = pare::half(1.0f);
  q4.min_scale = pare::half(0.5f);
  q4.scales[0] = 0xc2;  // group 0: scale 2, and the high bits of group 4: 48
  q4.scales[8] = 0x35;  // group 4: scale 48 + 5, min 3
  q4.scales[4] = 7;     // group 0: min 7
  q4.codes[0] = 0x03;
  q4.codes[64] = 0x02;
  ggml::decode(q4, x);
  CHECK(x[0] == 2.5f);
  CHECK(x[31] == -3.5f);
  CHECK(x[128] == 53.0f * 2.0f - 1.5f);

  ggml::q6_k q6;
  q6.scale = pare::half(0.5f);
  q6.scales[15] = -2;
  q6.low[127] = 0x50;
  q6.high[63] = 0xc0;
  ggml::decode(q6, x);
  CHECK(x[255] == -(48.0f + 5.0f - 32.0f));

  ggml::tq2_0 t;
  t.scale = pare::half(3.0f);
  t.codes[32] = 0x86;  // weights 128, 160, 192 and 224: codes 2, 1, 0, 2
  ggml::decode(t, x);
  CHECK(x[128] == 3.0f);
  CHECK(x[160] == 0.0f);
  CHECK(x[192] == -3.0f);
  CHECK(x[224] == 3.0f);
}
