// Layers of random numbers, for tests/io/test_write_c_source.cpp.
//
// Written by pare 0.1.0; do not edit. Weights are packed for scalar kernels.
// clang-format off
#ifndef PARE_TESTS_IO_SMALL_NETWORK_HPP
#define PARE_TESTS_IO_SMALL_NETWORK_HPP

#include <pare/core/tensor_view.hpp>
#include <pare/format/bcsr.hpp>
#include <pare/format/low_rank.hpp>
#include <pare/format/offset_grouped.hpp>
#include <pare/format/packed_conv2d.hpp>
#include <pare/format/packed_depthwise.hpp>
#include <pare/format/packed_grouped_linear.hpp>
#include <pare/format/packed_linear.hpp>
#include <pare/format/packed_low_bit_linear.hpp>
#include <pare/format/packed_sparse_linear.hpp>

namespace pare_test::written {

// fc: linear, 7 -> 10, 8-bit weights, relu; 336 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by nearest.
// A comment
// of two lines.
alignas(64) inline constexpr std::int8_t fc_panels[] = {
    107, -56, 9, 5, 124, -103, -108, -27, 14, -60, 87, 113, -121, -67, -71, 0,
    0, 64, 1, -57, 0, 84, 124, 28, 0, 94, -42, 105, 0, 81, 88, -13,
    106, 72, -57, 70, -85, -102, -48, -13, 98, 7, 25, -106, 27, -71, 38, -96,
    0, -79, -125, -104, 0, 82, -64, -103, 0, 67, -2, -3, 0, -118, 15, -41,
    71, -36, 62, 32, 0, 125, -122, 85, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 23, -63, -51, 0, -126, 91, 75, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t fc_sums[] = {
    73, 122, 311, -103, -117, -333, 86, -246,
    38, 128, 0, 0,
};
inline constexpr float fc_scales[] = {
    0x1.303706p-7f, 0x1.27ff4cp-8f, 0x1.874694p-10f, 0x1.325e74p-6f,
    0x1.76fbc4p-7f, 0x1.3768a4p-6f, 0x1.2fcbd6p-7f, 0x1.4e91a4p-7f,
    0x1.267c52p-7f, 0x1.d0a9bp-8f, 0x1p0f, 0x1p0f,
};
inline constexpr float fc_bias[] = {
    0x1.381a32p-2f, -0x1.49aeecp1f, 0x1.3fb70ep0f, 0x1.0514b4p1f,
    -0x1.412b9ap0f, -0x1.22d1d4p1f, 0x1.0a196p-4f, 0x1.a9d94ap-2f,
    0x1.2dc884p1f, -0x1.82b102p-2f, 0.0f, 0.0f,
};
inline constexpr std::int32_t fc_bias_codes[] = {
    1094, -19009, 27891, 3636, -3654, -3985, 234, 1358,
    8745, -1775, 0, 0,
};
inline constexpr float fc_factors[] = {
    0x1.240bdcp-10f, 0x1.1c2848p-11f, 0x1.779feap-13f, 0x1.261d3cp-9f,
    0x1.67fbeep-10f, 0x1.2af3dp-9f, 0x1.23a4f6p-10f, 0x1.412fa8p-10f,
    0x1.1ab4cap-10f, 0x1.be138ap-11f, 0.0f, 0.0f,
};
inline constexpr pare::packed_linear_view fc = [] {
  pare::packed_linear_view l;
  l.out_features = 10;
  l.in_features = 7;
  l.tile_columns = 4;
  l.has_minus_128 = 0;
  l.panels = fc_panels;
  l.sums = fc_sums;
  l.scales = fc_scales;
  l.bias = fc_bias;
  l.bias_codes = fc_bias_codes;
  l.factors = fc_factors;
  l.options.act = pare::activation::relu;
  l.options.input = {0x1.eb851ep-6f, 5};
  l.options.output = {0x1p-2f, -9};
  l.options.rule = pare::requantization::nearest;
  return l;
}();

// fc_f32: linear, 12 -> 5, 8-bit weights; 192 bytes in panels of 4 outputs.
alignas(64) inline constexpr std::int8_t fc_f32_panels[] = {
    -113, -56, -85, -53, -26, 42, -77, -90, -76, 76, 4, -65, 122, -55, -23, 124,
    -121, 49, -53, -81, -95, -4, -61, -40, -79, 127, 8, 109, 62, -32, -96, 114,
    -97, 20, -12, 39, -82, -33, -7, 66, -113, 109, 119, 22, -52, 10, -94, 9,
    101, -42, -109, 82, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    -60, -47, 70, -3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    -31, 84, -41, -85, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t fc_f32_sums[] = {
    -563, -407, 241, 89, -81, 0, 0, 0,
};
inline constexpr float fc_f32_scales[] = {
    0x1.77b0bcp-7f, 0x1.3333f6p-9f, 0x1.d9a7bap-7f, 0x1.15db56p-6f,
    0x1.abc414p-8f, 0x1p0f, 0x1p0f, 0x1p0f,
};
inline constexpr float fc_f32_bias[] = {
    0x1.66adcep1f, 0x1.33ad62p1f, 0x1.2231eap-2f, -0x1.f6bd7p0f,
    0x1.6b0586p1f, 0.0f, 0.0f, 0.0f,
};
inline constexpr pare::packed_linear_view fc_f32 = [] {
  pare::packed_linear_view l;
  l.out_features = 5;
  l.in_features = 12;
  l.tile_columns = 4;
  l.has_minus_128 = 0;
  l.panels = fc_f32_panels;
  l.sums = fc_f32_sums;
  l.scales = fc_f32_scales;
  l.bias = fc_f32_bias;
  l.options.act = pare::activation::none;
  l.options.rule = pare::requantization::nearest;
  return l;
}();

// fc_s4: linear, 19 -> 6, 4-bit weights; 320 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by double_rounding.
alignas(64) inline constexpr std::int8_t fc_s4_panels[] = {
    9, 9, 9, 9, 4, 4, 4, 4, 13, 13, 13, 13, 10, 10, 10, 10,
    -80, 59, 16, -35, 57, 50, -125, -49, -55, 61, 127, -125, -40, 2, -8, -125,
    46, 44, -91, 118, -119, 23, -52, -33, 106, 83, -56, 69, -63, -121, 68, 79,
    17, -111, 33, 1, -52, 12, -36, 108, 85, -91, -59, 5, 34, 50, -126, -94,
    14, 14, 14, 14, 1, 1, 1, 1, 8, 8, 8, 8, 8, 8, 8, 8,
    122, -5, -54, -103, 17, -102, -115, 111, 0, 0, 0, 0, 0, 0, 0, 0,
    68, -113, -39, 8, 15, 108, 98, -60, 0, 0, 0, 0, 0, 0, 0, 0,
    102, 6, 102, -74, -103, -39, -7, 121, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t fc_s4_sums[] = {
    -26, 51, -110, -65, -161, 128, 0, 0,
};
inline constexpr float fc_s4_scales[] = {
    0x1.3d6aa2p-6f, 0x1.28be6ep-6f, 0x1.75786ep-7f, 0x1.1892cep-8f,
    0x1.3f2d4p-6f, 0x1.1abc42p-6f, 0x1p0f, 0x1p0f,
};
inline constexpr float fc_s4_bias[] = {
    -0x1.ab04bcp0f, -0x1.559f26p1f, 0x1.1cb8fp1f, 0x1.fceb68p0f,
    -0x1.c27ab8p0f, -0x1.a299aap-1f, 0.0f, 0.0f,
};
inline constexpr std::int32_t fc_s4_bias_codes[] = {
    -2870, -4912, 6506, 15478, -3011, -1579, 0, 0,
};
inline constexpr std::int32_t fc_s4_multipliers[] = {
    1278087754, 1194848598, 1503790538, 1129737928, 1285175349, 1138442993, 0, 0,
};
inline constexpr std::int32_t fc_s4_shifts[] = {
    -8, -8, -9, -10, -8, -8, 0, 0,
};
inline constexpr pare::packed_low_bit_linear_view fc_s4 = [] {
  pare::packed_low_bit_linear_view l;
  l.base.out_features = 6;
  l.base.in_features = 19;
  l.base.tile_columns = 4;
  l.base.has_minus_128 = 0;
  l.base.panels = fc_s4_panels;
  l.base.sums = fc_s4_sums;
  l.base.scales = fc_s4_scales;
  l.base.bias = fc_s4_bias;
  l.base.bias_codes = fc_s4_bias_codes;
  l.base.multipliers = fc_s4_multipliers;
  l.base.shifts = fc_s4_shifts;
  l.base.options.act = pare::activation::none;
  l.base.options.input = {0x1.eb851ep-6f, 5};
  l.base.options.output = {0x1p-2f, -9};
  l.base.options.rule = pare::requantization::double_rounding;
  l.bits = 4;
  l.has_zero_points = 1;
  return l;
}();

// conv: conv2d, 4 -> 6 channels, 3 x 3 window; 448 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by nearest.
alignas(64) inline constexpr std::int8_t conv_panels[] = {
    46, 36, 46, -125, -14, 53, -74, -14, -101, 104, 3, 23, 114, 116, 96, -7,
    69, -84, -98, -13, -106, 112, -32, 3, -68, -76, -9, -121, 93, -90, 116, -20,
    -24, -2, -79, -30, 62, 94, 4, 39, -42, 64, 20, -76, 61, -49, 110, -38,
    72, -76, 58, 57, -53, -92, -53, 70, -113, 114, -121, 75, 19, 51, 81, -126,
    9, -128, 32, -78, -72, -69, 100, 124, -128, 46, -118, 64, 99, 7, 112, -49,
    124, -107, 115, 112, 70, -77, -88, -61, -24, -8, -87, -96, -100, 115, 35, -107,
    -19, 73, 45, 89, 109, 121, -50, 53, 117, -79, 118, -91, 76, -51, 50, -18,
    -73, 125, -96, 59, 71, -56, -3, 108, 7, 124, -87, -123, 51, -124, 79, 90,
    -71, -72, 109, 76, 82, 122, 68, 106, 102, 30, -54, -54, 76, -125, -93, -17,
    118, 108, 37, 71, -61, -61, 122, -88, 0, 0, 0, 0, 0, 0, 0, 0,
    62, 23, 54, -2, -89, -100, 2, -35, 0, 0, 0, 0, 0, 0, 0, 0,
    -99, -88, -15, -33, -9, 9, -24, 3, 0, 0, 0, 0, 0, 0, 0, 0,
    107, -50, 123, -71, -27, 87, -87, 85, 0, 0, 0, 0, 0, 0, 0, 0,
    -12, -51, 80, 19, -63, -15, -79, -10, 0, 0, 0, 0, 0, 0, 0, 0,
    66, 105, -99, -17, 126, -49, -34, 45, 0, 0, 0, 0, 0, 0, 0, 0,
    -63, -91, -100, -108, -13, 57, -16, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    55, -109, 95, -57, 28, -18, -40, -59, 0, 0, 0, 0, 0, 0, 0, 0,
    20, 15, 104, 116, -37, 58, -105, 19, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t conv_sums[] = {
    177, 657, -665, 633, 313, -478, 0, 0,
};
inline constexpr float conv_scales[] = {
    0x1.55f556p-8f, 0x1.0c7da6p-9f, 0x1.1f7082p-6f, 0x1.132c4cp-6f,
    0x1.42f07cp-8f, 0x1.033a4ap-7f, 0x1p0f, 0x1p0f,
};
inline constexpr float conv_bias[] = {
    0x1.2db772p1f, 0x1.57a96p1f, -0x1.02143ap0f, -0x1.be5a12p0f,
    0x1.ed686ep0f, -0x1.4ea708p1f, 0.0f, 0.0f,
};
inline constexpr std::int32_t conv_bias_codes[] = {
    15058, 43690, -1915, -3460, 13038, -11016, 0, 0,
};
inline constexpr float conv_factors[] = {
    0x1.4847aep-11f, 0x1.01c04ep-12f, 0x1.13f12p-9f, 0x1.082a86p-9f,
    0x1.360596p-11f, 0x1.f1b798p-11f, 0.0f, 0.0f,
};
inline constexpr pare::packed_conv2d_view conv = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 6;
  l.in_channels = 4;
  l.groups = 1;
  l.window.height = 3;
  l.window.width = 3;
  l.window.stride_y = 1;
  l.window.stride_x = 1;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 1;
  l.window.pad_bottom = 1;
  l.window.pad_left = 1;
  l.window.pad_right = 1;
  l.taps = pare::conv2d_taps::pixels;
  l.first_group.out_features = 6;
  l.first_group.in_features = 36;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 1;
  l.first_group.panels = conv_panels;
  l.first_group.sums = conv_sums;
  l.first_group.scales = conv_scales;
  l.first_group.bias = conv_bias;
  l.first_group.bias_codes = conv_bias_codes;
  l.first_group.factors = conv_factors;
  l.first_group.options.act = pare::activation::none;
  l.first_group.options.input = {0x1.eb851ep-6f, 5};
  l.first_group.options.output = {0x1p-2f, -9};
  l.first_group.options.rule = pare::requantization::nearest;
  return l;
}();

// conv_rows: conv2d, 3 -> 5 channels, 3 x 3 window, strides 2, 2; 448 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by nearest.
alignas(64) inline constexpr std::int8_t conv_rows_panels[] = {
    78, -15, -22, 61, -101, 107, -97, -126, 5, 75, -108, 47, -36, -34, 124, 49,
    103, 105, -10, -101, -4, -90, -90, 55, 105, 127, -46, 52, 66, 32, -46, -71,
    0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0, -18,
    -55, 77, -25, 100, 83, -37, 34, -110, 103, 82, -115, 86, -92, 64, -93, -108,
    -63, 78, 62, -98, 27, 59, 117, -95, -37, 123, -112, 88, 8, 107, -118, -7,
    0, 0, 0, -70, 0, 0, 0, 13, 0, 0, 0, 18, 0, 0, 0, -28,
    -16, -42, 80, 80, -28, -43, 107, -19, -120, 97, -47, -84, -113, -116, 2, -106,
    18, -18, 76, -7, -112, -97, 62, -114, 79, -70, 37, -93, -69, 113, 9, 74,
    0, 0, 0, -23, 0, 0, 0, -52, 0, 0, 0, -12, 0, 0, 0, 65,
    87, -7, -93, -127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    111, -127, 50, -37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, -108, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    -109, -14, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    -41, 34, -51, 124, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 18, -88, -64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    -98, 69, 23, -31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, -49, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t conv_rows_sums[] = {
    354, -535, 312, -342, -452, 0, 0, 0,
};
inline constexpr float conv_rows_scales[] = {
    0x1.2653eap-6f, 0x1.37545ap-6f, 0x1.dee974p-8f, 0x1.464914p-8f,
    0x1.100782p-6f, 0x1p0f, 0x1p0f, 0x1p0f,
};
inline constexpr float conv_rows_bias[] = {
    -0x1.45652ep1f, -0x1.a2cea4p0f, 0x1.adf48cp0f, -0x1.160f04p0f,
    -0x1.7a69eap-2f, 0.0f, 0.0f, 0.0f,
};
inline constexpr std::int32_t conv_rows_bias_codes[] = {
    -4717, -2870, 7661, -7272, -742, 0, 0, 0,
};
inline constexpr float conv_rows_factors[] = {
    0x1.1a8dfep-9f, 0x1.2ae056p-9f, 0x1.cbc164p-11f, 0x1.393beap-11f,
    0x1.0525eep-9f, 0.0f, 0.0f, 0.0f,
};
inline constexpr pare::packed_conv2d_view conv_rows = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 5;
  l.in_channels = 3;
  l.groups = 1;
  l.window.height = 3;
  l.window.width = 3;
  l.window.stride_y = 2;
  l.window.stride_x = 2;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 0;
  l.window.pad_bottom = 0;
  l.window.pad_left = 0;
  l.window.pad_right = 0;
  l.taps = pare::conv2d_taps::rows;
  l.first_group.out_features = 5;
  l.first_group.in_features = 36;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 0;
  l.first_group.panels = conv_rows_panels;
  l.first_group.sums = conv_rows_sums;
  l.first_group.scales = conv_rows_scales;
  l.first_group.bias = conv_rows_bias;
  l.first_group.bias_codes = conv_rows_bias_codes;
  l.first_group.factors = conv_rows_factors;
  l.first_group.options.act = pare::activation::none;
  l.first_group.options.input = {0x1.eb851ep-6f, 5};
  l.first_group.options.output = {0x1p-2f, -9};
  l.first_group.options.rule = pare::requantization::nearest;
  return l;
}();

// conv_grouped: conv2d, 4 -> 4 channels, 2 x 2 window, 2 groups; 288 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by nearest.
struct conv_grouped_group {
  alignas(64) std::int8_t panels[64];
  std::int32_t sums[4];
  float scales[4];
  float bias[4];
  std::int32_t bias_codes[4];
  float factors[4];
};
inline constexpr conv_grouped_group conv_grouped_groups[] = {
    {
        {
            73, -66, 0, 0, 33, 84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            84, -127, 0, 0, -18, -97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            -19, -51, 0, 0, 33, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            -22, -102, 0, 0, 2, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        },
        {
            -230, 68, 0, 0,
        },
        {
            0x1.411b94p-9f, 0x1.5c9d7p-8f, 0x1p0f, 0x1p0f,
        },
        {
            0x1.1ecb36p1f, -0x1.7776dp1f, 0.0f, 0.0f,
        },
        {
            30486, -18381, 0, 0,
        },
        {
            0x1.34436ep-12f, 0x1.4eab9ep-11f, 0.0f, 0.0f,
        },
    },
    {
        {
            89, 101, 0, 0, -43, -50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            -14, -48, 0, 0, -100, -88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            69, -1, 0, 0, -71, -58, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            49, -65, 0, 0, -78, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        },
        {
            180, -398, 0, 0,
        },
        {
            0x1.032b6ap-6f, 0x1.ceb712p-8f, 0x1p0f, 0x1p0f,
        },
        {
            0x1.67d6d8p1f, -0x1.903888p0f, 0.0f, 0.0f,
        },
        {
            5924, -7381, 0, 0,
        },
        {
            0x1.f19b08p-10f, 0x1.bc34dep-11f, 0.0f, 0.0f,
        },
    },
};
inline constexpr pare::packed_conv2d_view conv_grouped = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 4;
  l.in_channels = 4;
  l.groups = 2;
  l.window.height = 2;
  l.window.width = 2;
  l.window.stride_y = 1;
  l.window.stride_x = 1;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 0;
  l.window.pad_bottom = 0;
  l.window.pad_left = 0;
  l.window.pad_right = 0;
  l.taps = pare::conv2d_taps::padded_pixels;
  l.first_group.out_features = 2;
  l.first_group.in_features = 16;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 0;
  l.first_group.panels = conv_grouped_groups[0].panels;
  l.first_group.sums = conv_grouped_groups[0].sums;
  l.first_group.scales = conv_grouped_groups[0].scales;
  l.first_group.bias = conv_grouped_groups[0].bias;
  l.first_group.bias_codes = conv_grouped_groups[0].bias_codes;
  l.first_group.factors = conv_grouped_groups[0].factors;
  l.first_group.options.act = pare::activation::none;
  l.first_group.options.input = {0x1.eb851ep-6f, 5};
  l.first_group.options.output = {0x1p-2f, -9};
  l.first_group.options.rule = pare::requantization::nearest;
  l.group_bytes = sizeof(conv_grouped_group);
  return l;
}();

// depthwise: depthwise_conv2d, 7 -> 7 channels, 3 x 3 window, relu6; 288 bytes in panels of 4 outputs.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by single_rounding.
alignas(64) inline constexpr std::int8_t depthwise_panels[] = {
    68, -25, -39, 0, 102, -128, 60, 0, 55, -94, 110, 0, -45, 31, -105, 0,
    118, 57, -86, 0, 48, -73, 63, 0, -16, 73, -41, 0, -127, 44, 105, 0,
    83, -105, 8, 0, 7, -122, -72, 0, 61, -90, 67, 0, 16, 124, 64, 0,
    7, -28, 97, 0, -5, 81, 18, 0, -81, 9, -108, 0, 0, 0, 0, 0,
    -36, 97, 27, 0, 57, 31, -9, 0, -116, -61, 124, 0, 0, 0, 0, 0,
    96, -5, -109, 0, -55, -45, 75, 0, -21, 14, -69, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t depthwise_sums[] = {
    79, -115, 125, 107, 146, 148, -309, 0,
};
inline constexpr float depthwise_scales[] = {
    0x1.204772p-6f, 0x1.3d8088p-10f, 0x1.3de308p-6f, 0x1.6baeacp-8f,
    0x1.1ef5f6p-6f, 0x1.0bce9ap-7f, 0x1.6b4646p-7f, 0x1p0f,
};
inline constexpr float depthwise_bias[] = {
    -0x1.78085cp1f, -0x1.a0603p-1f, 0x1.708f7ap-7f, -0x1.55f442p-8f,
    -0x1.9f807p-6f, -0x1.7a34f8p1f, -0x1.19380cp1f, 0.0f,
};
inline constexpr std::int32_t depthwise_bias_codes[] = {
    -5565, -22381, 19, -31, -48, -12051, -6606, 0,
};
inline constexpr std::int32_t depthwise_multipliers[] = {
    1160764882, 1278432186, 1279981457, 1464378376, 1155456711, 1078333539, 1462736331, 0,
};
inline constexpr std::int32_t depthwise_shifts[] = {
    -8, -12, -8, -10, -8, -9, -9, 0,
};
inline constexpr pare::packed_depthwise_view depthwise = [] {
  pare::packed_depthwise_view l;
  l.out_channels = 7;
  l.multiplier = 1;
  l.window.height = 3;
  l.window.width = 3;
  l.window.stride_y = 1;
  l.window.stride_x = 1;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 1;
  l.window.pad_bottom = 1;
  l.window.pad_left = 1;
  l.window.pad_right = 1;
  l.variants = 1;
  l.outputs.out_features = 7;
  l.outputs.in_features = 0;
  l.outputs.tile_columns = 4;
  l.outputs.has_minus_128 = 1;
  l.outputs.panels = depthwise_panels;
  l.outputs.sums = depthwise_sums;
  l.outputs.scales = depthwise_scales;
  l.outputs.bias = depthwise_bias;
  l.outputs.bias_codes = depthwise_bias_codes;
  l.outputs.multipliers = depthwise_multipliers;
  l.outputs.shifts = depthwise_shifts;
  l.outputs.options.act = pare::activation::relu6;
  l.outputs.options.input = {0x1.eb851ep-6f, 5};
  l.outputs.options.output = {0x1p-2f, -9};
  l.outputs.options.rule = pare::requantization::single_rounding;
  return l;
}();

// fc_grouped: linear, 40 -> 6, 4-bit weights in groups of 32, relu; 368 bytes in panels of 4 outputs.
alignas(64) inline constexpr std::uint8_t fc_grouped_panels[] = {
    124, 81, 66, 187, 99, 234, 142, 175, 144, 81, 78, 132, 52, 145, 180, 68,
    51, 101, 85, 21, 22, 138, 226, 243, 16, 95, 73, 160, 170, 72, 157, 228,
    172, 29, 83, 145, 239, 76, 170, 186, 230, 36, 74, 175, 225, 224, 205, 240,
    87, 3, 71, 119, 115, 36, 143, 246, 204, 13, 203, 24, 121, 102, 57, 187,
    3, 0, 0, 4, 0, 0, 41, 36, 64, 0, 144, 0,
    56, 21, 238, 199, 35, 84, 232, 248, 45, 36, 106, 226, 60, 242, 156, 232,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    255, 131, 254, 135, 176, 224, 189, 38, 208, 224, 192, 144,
    194, 42, 89, 19, 129, 28, 223, 171, 0, 0, 0, 0, 0, 0, 0, 0,
    173, 66, 169, 92, 29, 113, 251, 94, 0, 0, 0, 0, 0, 0, 0, 0,
    87, 92, 163, 86, 180, 1, 2, 167, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 28, 236, 57, 20, 178, 95, 174, 0, 0, 0, 0, 0, 0, 0, 0,
    35, 20, 96, 28, 0, 0, 0, 0, 208, 64, 0, 0,
    150, 178, 233, 234, 118, 195, 31, 105, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    140, 163, 118, 160, 0, 0, 0, 0, 144, 64, 0, 0,
};
inline constexpr float fc_grouped_sums[] = {
    -0x1.827p-10f, -0x1.c7d4p-9f, -0x1.5aep14f, 0x1.ccc8p-2f,
    -0x1.b8604p-2f, -0x1.d084p-2f, 0.0f, 0.0f,
};
inline constexpr float fc_grouped_bias[] = {
    0x1.a0bf9ep0f, -0x1.351a56p0f, -0x1.701p1f, -0x1.09ea74p-5f,
    0x1.9a914p-1f, -0x1.5e1dbep-2f, 0.0f, 0.0f,
};
inline constexpr pare::packed_grouped_linear_view fc_grouped = [] {
  pare::packed_grouped_linear_view l;
  l.out_features = 6;
  l.in_features = 40;
  l.group = 32;
  l.bits = 4;
  l.tile_columns = 4;
  l.has_zero_points = 1;
  l.panels = fc_grouped_panels;
  l.sums = fc_grouped_sums;
  l.bias = fc_grouped_bias;
  l.options.act = pare::activation::relu;
  l.options.arithmetic = pare::grouped_arithmetic::integer;
  return l;
}();

// fc_grouped_s8: linear, 70 -> 3, 8-bit weights in groups of 64; 560 bytes in panels of 4 outputs.
alignas(64) inline constexpr std::uint8_t fc_grouped_s8_panels[] = {
    220, 117, 184, 22, 82, 224, 57, 83, 221, 40, 192, 204, 0, 0, 0, 0,
    193, 52, 168, 113, 125, 222, 126, 11, 46, 2, 50, 23, 0, 0, 0, 0,
    245, 33, 92, 60, 169, 230, 85, 105, 18, 135, 73, 144, 0, 0, 0, 0,
    59, 74, 93, 106, 85, 245, 115, 157, 169, 20, 195, 155, 0, 0, 0, 0,
    248, 146, 56, 56, 62, 198, 88, 230, 84, 94, 201, 80, 0, 0, 0, 0,
    11, 147, 247, 80, 81, 42, 45, 239, 246, 14, 103, 203, 0, 0, 0, 0,
    177, 232, 59, 33, 163, 98, 215, 36, 243, 187, 40, 133, 0, 0, 0, 0,
    93, 122, 191, 50, 168, 56, 146, 74, 23, 222, 106, 174, 0, 0, 0, 0,
    132, 227, 58, 202, 8, 86, 249, 147, 246, 117, 150, 236, 0, 0, 0, 0,
    16, 111, 116, 19, 177, 124, 49, 177, 71, 177, 232, 55, 0, 0, 0, 0,
    168, 123, 64, 162, 186, 201, 67, 210, 69, 191, 96, 163, 0, 0, 0, 0,
    91, 243, 71, 242, 138, 97, 58, 10, 16, 90, 206, 24, 0, 0, 0, 0,
    112, 174, 66, 50, 139, 51, 157, 93, 51, 28, 63, 249, 0, 0, 0, 0,
    189, 19, 42, 113, 124, 153, 70, 79, 100, 85, 219, 135, 0, 0, 0, 0,
    48, 96, 16, 42, 123, 175, 106, 253, 107, 124, 81, 113, 0, 0, 0, 0,
    240, 75, 71, 32, 33, 214, 253, 244, 129, 242, 251, 73, 0, 0, 0, 0,
    3, 0, 0, 4, 0, 0, 0, 0,
    36, 192, 230, 215, 21, 26, 63, 30, 112, 166, 198, 108, 0, 0, 0, 0,
    33, 108, 0, 0, 210, 116, 0, 0, 118, 121, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    255, 131, 254, 135, 176, 224, 0, 0,
};
inline constexpr float fc_grouped_s8_sums[] = {
    -0x1.4aaep-9f, 0x1.d569p-6f, -0x1.6c74p17f, 0.0f,
};
inline constexpr float fc_grouped_s8_bias[] = {
    -0x1.eb1b12p0f, -0x1.4b8a54p1f, -0x1.710b04p1f, 0.0f,
};
inline constexpr pare::packed_grouped_linear_view fc_grouped_s8 = [] {
  pare::packed_grouped_linear_view l;
  l.out_features = 3;
  l.in_features = 70;
  l.group = 64;
  l.bits = 8;
  l.tile_columns = 4;
  l.has_zero_points = 0;
  l.panels = fc_grouped_s8_panels;
  l.sums = fc_grouped_s8_sums;
  l.bias = fc_grouped_s8_bias;
  l.options.act = pare::activation::none;
  l.options.arithmetic = pare::grouped_arithmetic::floating;
  return l;
}();

// fc_sparse: linear, 22 -> 18, 8-bit weights in 15 blocks of 4 x 4; 974 bytes.
// Inputs: scale 0.03, zero point 5.
// Outputs: scale 0.25, zero point -9, rounded by onnx.
alignas(64) inline constexpr std::int8_t fc_sparse_values[] = {
    93, 29, 122, -55, -71, -101, -35, 22, 77, 15, 6, -43, 115, 50, 25, 48,
    -33, 27, -66, -51, 81, 62, 41, -124, 48, -86, 40, 32, 73, -16, 100, -90,
    -43, -93, -93, -117, -103, 114, -126, -111, 38, 7, 96, -90, 94, 20, -95, 97,
    97, 72, 112, -103, 52, -47, -118, -105, -45, 16, 38, 96, 61, 6, -17, -47,
    113, 71, -70, -109, 42, 87, 18, 78, 0, 0, 0, 0, 0, 0, 0, 0,
    11, -40, -6, -95, -110, -10, -40, 17, 57, -49, 104, 109, 114, 81, 124, 0,
    86, -117, 33, 43, -96, -119, 76, 30, 112, 1, -21, -110, -79, 97, 78, -49,
    -128, 30, -43, 106, 121, 7, 93, -41, -101, -38, 48, -22, 31, 81, 81, -73,
    74, 92, -57, 68, 121, -9, -82, 36, 116, -32, 88, 8, 94, 36, -72, 82,
    115, -37, -125, 6, 96, -111, -32, -17, 0, 0, 0, 0, 0, 0, 0, 0,
    115, -2, 0, 0, -84, -124, 0, 0, 0, -105, 0, 0, -32, -61, 0, 0,
    -57, 85, 28, -19, 122, 102, 106, 75, -84, -78, -84, -114, 76, 17, 69, -77,
    96, 37, 0, 0, 32, 120, 0, 0, -98, 28, 0, 0, -79, 2, 0, 0,
    -114, -71, -20, 51, 34, 16, 18, 54, 28, -34, -37, 88, -124, -70, 0, -12,
    -44, 108, 0, 0, -31, -77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::uint16_t fc_sparse_block_columns[] = {
    1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1,
};
inline constexpr std::uint32_t fc_sparse_block_offsets[] = {
    0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u,
    8u, 9u, 10u, 11u, 12u, 13u, 14u, 15u,
};
inline constexpr std::int32_t fc_sparse_sums[] = {
    172, -536, 171, 464, -41, 356, -344, 199,
    -248, 106, -132, 159, 201, -30, 330, -63,
    28, 53, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr float fc_sparse_scales[] = {
    0x1.220144p-8f, 0x1.2d2e62p-9f, 0x1.67252p-10f, 0x1.be9e18p-7f,
    0x1.412a06p-7f, 0x1.333ee4p-8f, 0x1.e41b26p-7f, 0x1.30bb7p-6f,
    0x1.266226p-7f, 0x1.88ff3p-9f, 0x1.4efdb4p-7f, 0x1.5a9702p-8f,
    0x1.45cd46p-10f, 0x1.27694ap-6f, 0x1.5033ap-7f, 0x1.11922ap-6f,
    0x1.35908cp-6f, 0x1.6a3592p-9f, 0x1p0f, 0x1p0f,
    0x1p0f, 0x1p0f, 0x1p0f, 0x1p0f,
    0x1p0f, 0x1p0f, 0x1p0f, 0x1p0f,
    0x1p0f, 0x1p0f, 0x1p0f, 0x1p0f,
};
inline constexpr float fc_sparse_bias[] = {
    -0x1.099a5ap1f, -0x1.4a69e2p-2f, 0x1.70b762p0f, 0x1.1ec2e6p1f,
    -0x1.6b8c52p0f, -0x1.3d9e54p1f, 0x1.9e96fp-3f, 0x1.5773cep0f,
    -0x1.74ce72p1f, -0x1.cb54acp-1f, 0x1.419904p1f, -0x1.65ea6p1f,
    0x1.33bfcp1f, -0x1.3a3582p0f, -0x1.665514p1f, -0x1.409f0ap1f,
    0x1.5eefe4p1f, 0x1.5b10cap0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
};
inline constexpr std::int32_t fc_sparse_bias_codes[] = {
    -15631, -4681, 35043, 5479, -4830, -17643, 457, 2404,
    -10807, -9974, 8192, -17624, 64484, -2269, -9095, -5000,
    4837, 16353, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr float fc_sparse_factors[] = {
    0x1.16679ep-11f, 0x1.21224ap-12f, 0x1.58c77ap-13f, 0x1.acc0bap-10f,
    0x1.34514cp-10f, 0x1.26f4b2p-11f, 0x1.d0bde6p-10f, 0x1.248afap-9f,
    0x1.1a9baap-10f, 0x1.7946e6p-12f, 0x1.419764p-10f, 0x1.4cb9ecp-11f,
    0x1.38c51p-13f, 0x1.1b9846p-9f, 0x1.42c0ecp-10f, 0x1.06a0ccp-9f,
    0x1.292e9ap-9f, 0x1.5bb88cp-12f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
    0.0f, 0.0f, 0.0f, 0.0f,
};
inline constexpr pare::packed_sparse_linear_view fc_sparse = [] {
  pare::packed_sparse_linear_view l;
  l.base.out_features = 18;
  l.base.in_features = 22;
  l.base.tile_columns = 16;
  l.base.has_minus_128 = 1;
  l.base.sums = fc_sparse_sums;
  l.base.scales = fc_sparse_scales;
  l.base.bias = fc_sparse_bias;
  l.base.bias_codes = fc_sparse_bias_codes;
  l.base.factors = fc_sparse_factors;
  l.base.options.act = pare::activation::none;
  l.base.options.input = {0x1.eb851ep-6f, 5};
  l.base.options.output = {0x1p-2f, -9};
  l.base.options.rule = pare::requantization::onnx;
  l.weights.rows = 18;
  l.weights.columns = 22;
  l.weights.shape.block_rows = 4;
  l.weights.shape.block_columns = 4;
  l.weights.shape.k_block = 8;
  l.weights.values = fc_sparse_values;
  l.weights.block_columns = fc_sparse_block_columns;
  l.weights.block_offsets = fc_sparse_block_offsets;
  return l;
}();

// fc_low_rank: linear, 7 -> 5, float weights of rank 2; 96 bytes.
alignas(64) inline constexpr float fc_low_rank_left[] = {
    0x1.15d514p-1f, -0x1.9c231cp-2f, -0x1.eacp-1f, -0x1.628dfp-7f,
    0x1.11b62ap-2f, -0x1.d2d252p-4f, 0x1.fd8ce4p-2f, 0x1.53e092p-1f,
    -0x1.87609cp-9f, 0x1.55492ep-3f,
};
alignas(64) inline constexpr float fc_low_rank_right[] = {
    -0x1.476762p-1f, -0x1.ba0dc6p-1f, -0x1.ec0eaep-1f, 0x1.5158e2p-2f,
    -0x1.2d5056p-4f, -0x1.3939c2p-1f, 0x1.ccaa28p-2f, 0x1.b48386p-1f,
    -0x1.46d896p-3f, -0x1.944cf6p-1f, -0x1.dd8658p-6f, -0x1.18dec4p-1f,
    -0x1.f2e996p-1f, 0x1.95da5ap-1f,
};
inline constexpr pare::low_rank_view<float> fc_low_rank = [] {
  pare::low_rank_view<float> l;
  l.left = pare::matrix_view<const float>(fc_low_rank_left, 5, 2);
  l.right = pare::matrix_view<const float>(fc_low_rank_right, 2, 7);
  return l;
}();

// fc_pruned: linear, 10 -> 6, float weights in 20 blocks of 1 x 1; 148 bytes.
alignas(64) inline constexpr float fc_pruned_values[] = {
    -0x1.622322p-1f, 0x1.7e5934p-1f, 0x1.1464ap-4f, -0x1.323872p-2f,
    0x1.9a54fep-1f, -0x1.ab7eb8p-1f, -0x1.737f66p-1f, 0x1.68716cp-2f,
    0x1.c6e2f4p-1f, 0x1.a67094p-1f, 0x1.5bc468p-5f, 0x1.a10ab2p-1f,
    0x1.1291c2p-1f, -0x1.6807e6p-4f, -0x1.eab0d6p-1f, 0x1.c5d05ap-1f,
    -0x1.85546cp-2f, -0x1.cca28p-14f, 0x1.43c1ap-1f, -0x1.6c3cf4p-1f,
};
inline constexpr std::uint16_t fc_pruned_block_columns[] = {
    0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 0, 3, 6, 9, 2, 5,
    8, 1, 4, 7,
};
inline constexpr std::uint32_t fc_pruned_block_offsets[] = {
    0u, 4u, 7u, 10u, 14u, 17u, 20u,
};
inline constexpr pare::bcsr_view<float> fc_pruned = [] {
  pare::bcsr_view<float> l;
  l.rows = 6;
  l.columns = 10;
  l.shape.block_rows = 1;
  l.shape.block_columns = 1;
  l.shape.k_block = 10;
  l.values = fc_pruned_values;
  l.block_columns = fc_pruned_block_columns;
  l.block_offsets = fc_pruned_block_offsets;
  return l;
}();

// bias: 5 floats; 20 bytes.
alignas(64) inline constexpr float bias_values[] = {
    0x1.1c5e06p-1f, 0x1.b7ab8cp-3f, -0x1.0cc1fep-1f, 0x1.700f78p-1f,
    0x1.4c0facp-1f,
};
inline constexpr pare::vector_view<const float> bias(bias_values, 5);

// fc_shifted: linear, 40 -> 5, 4-bit weights in groups of 32 with offsets, relu6; 416 bytes in panels of 4 outputs.
alignas(64) inline constexpr std::uint8_t fc_shifted_panels[] = {
    32, 94, 81, 18, 198, 134, 198, 49, 227, 107, 3, 115, 30, 230, 111, 39,
    142, 200, 220, 210, 185, 137, 132, 144, 82, 26, 92, 15, 166, 37, 81, 51,
    0, 59, 140, 21, 140, 93, 187, 238, 205, 133, 209, 27, 231, 136, 235, 97,
    243, 114, 94, 105, 84, 115, 52, 15, 68, 219, 165, 81, 57, 167, 200, 175,
    3, 0, 0, 4, 0, 0, 64, 164,
    121, 115, 89, 85, 66, 116, 128, 131, 199, 63, 146, 136, 127, 113, 187, 120,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    255, 131, 254, 135, 176, 224, 53, 37,
    246, 1, 56, 207, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    244, 255, 205, 156, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    52, 41, 172, 168, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    136, 47, 72, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    244, 36, 0, 0, 0, 0, 0, 0,
    231, 178, 88, 204, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    48, 16, 0, 0, 0, 0, 0, 0,
};
inline constexpr float fc_shifted_sums[] = {
    -0x1.203cp-10f, -0x1.37fp-9f, 0x1.2cp13f, 0x1.6f8p-7f,
    -0x1.51fd8p0f, 0.0f, 0.0f, 0.0f,
};
inline constexpr float fc_shifted_bias[] = {
    -0x1.a9066p0f, -0x1.0a4192p0f, 0x1.1ca196p-3f, -0x1.553b7ap1f,
    0x1.37827ep-2f, 0.0f, 0.0f, 0.0f,
};
inline constexpr float fc_shifted_offsets[] = {
    0x1.1dc06p-4f, -0x1.070c68p-4f, -0x1.6d10cep-4f, -0x1.c5b5f8p-6f,
    -0x1.6ffbaep-5f, 0.0f, 0.0f, 0.0f,
    0x1.00e296p-4f, 0x1.2b5a2p-6f, -0x1.3eae14p-4f, 0x1.0501bcp-4f,
    0x1.5d817cp-4f, 0.0f, 0.0f, 0.0f,
};
inline constexpr pare::packed_offset_grouped_linear_view fc_shifted = [] {
  pare::packed_offset_grouped_linear_view l;
  l.base.out_features = 5;
  l.base.in_features = 40;
  l.base.group = 32;
  l.base.bits = 4;
  l.base.tile_columns = 4;
  l.base.has_zero_points = 0;
  l.base.panels = fc_shifted_panels;
  l.base.sums = fc_shifted_sums;
  l.base.bias = fc_shifted_bias;
  l.base.options.act = pare::activation::none;
  l.base.options.arithmetic = pare::grouped_arithmetic::integer;
  l.offsets = fc_shifted_offsets;
  l.act = pare::activation::relu6;
  return l;
}();

}  // namespace pare_test::written

#endif  // PARE_TESTS_IO_SMALL_NETWORK_HPP
