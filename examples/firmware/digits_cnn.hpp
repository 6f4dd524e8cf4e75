// A reader of handwritten digits of 8 x 8 pixels, of depthwise-separable convolutions, trained
// by examples/firmware/train_cnn.py on the pictures of examples/data.
//
// Written by pare 0.1.0; do not edit. Weights are packed for scalar kernels.
// clang-format off
#ifndef DIGITS_CNN_HPP
#define DIGITS_CNN_HPP

#include <pare/format/packed_conv2d.hpp>
#include <pare/format/packed_depthwise.hpp>
#include <pare/format/packed_linear.hpp>

namespace digits::cnn {

// conv: conv2d, 1 -> 8 channels, 3 x 3 window, relu; 256 bytes in panels of 4 outputs.
// Inputs: scale 0.00392157, zero point 0.
// Outputs: scale 0.0150521, zero point 0, rounded by nearest.
alignas(4) inline constexpr std::int8_t conv_panels[] = {
    65, -50, -27, 0, 56, 127, 33, 0, 127, 45, -54, 0, 104, 15, 92, 0,
    50, -128, 90, 0, 95, 75, -33, 0, -88, -24, -63, 0, 73, 122, 127, 0,
    -18, 83, 39, 0, 5, 59, 5, 0, -47, 7, 87, 0, -44, -57, 14, 0,
    -3, 71, 29, 0, 127, -127, -103, 0, 113, 110, 90, 0, 127, -1, -77, 0,
    16, 42, 11, 0, 53, 21, -101, 0, -67, 92, 125, 0, 84, 34, -101, 0,
    127, -7, -43, 0, -70, 118, 77, 0, -128, 16, 66, 0, 22, 82, -3, 0,
};
inline constexpr std::int32_t conv_sums[] = {
    104, 422, -10, 446, 243, -5, 417, 167,
};
inline constexpr float conv_scales[] = {
    0x1.16172ap-9f, 0x1.f2b6eap-8f, 0x1.212fcap-9f, 0x1.bf521ep-8f,
    0x1.3f9014p-7f, 0x1.4829fap-8f, 0x1.ba7fbp-8f, 0x1.a19edcp-8f,
};
inline constexpr float conv_bias[] = {
    0x1.6eb4c8p-3f, 0x1.eddffp-2f, 0x1.b0ca9p-4f, 0x1.29db06p-3f,
    0x1.efb432p-4f, 0x1.45fe36p-1f, -0x1.8a6cdep-3f, 0x1.0ef408p-2f,
};
inline constexpr std::int32_t conv_bias_codes[] = {
    21520, 16162, 12212, 5433, 3164, 32424, -7273, 10588,
};
inline constexpr float conv_factors[] = {
    0x1.21ce9ap-11f, 0x1.03dcfcp-9f, 0x1.2d5eeap-11f, 0x1.d22ad8p-10f,
    0x1.4d06d4p-9f, 0x1.55fd8p-10f, 0x1.cd2468p-10f, 0x1.b3374p-10f,
};
inline constexpr pare::packed_conv2d_view conv = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 8;
  l.in_channels = 1;
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
  l.taps = pare::conv2d_taps::rows;
  l.first_group.out_features = 8;
  l.first_group.in_features = 12;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 1;
  l.first_group.panels = conv_panels;
  l.first_group.sums = conv_sums;
  l.first_group.scales = conv_scales;
  l.first_group.bias = conv_bias;
  l.first_group.bias_codes = conv_bias_codes;
  l.first_group.factors = conv_factors;
  l.first_group.options.act = pare::activation::relu;
  l.first_group.options.input = {0x1.010102p-8f, 0};
  l.first_group.options.output = {0x1.ed3a26p-7f, 0};
  l.first_group.options.rule = pare::requantization::nearest;
  return l;
}();

// depthwise1: depthwise_conv2d, 8 -> 8 channels, 3 x 3 window, relu; 256 bytes in panels of 4 outputs.
// Inputs: scale 0.0150521, zero point 0.
// Outputs: scale 0.0498113, zero point 0, rounded by nearest.
alignas(4) inline constexpr std::int8_t depthwise1_panels[] = {
    -91, -35, -128, 0, 127, 71, 76, 0, -57, -25, -86, 0, 33, 108, 0, 0,
    -96, 60, 72, 0, 125, 45, 73, 0, -40, 75, -113, 0, 18, 102, 25, 0,
    1, -94, -38, 0, -85, -99, 48, 0, 122, 58, 127, 0, -25, 115, 127, 0,
    122, 23, 127, 0, -35, 16, -33, 0, 126, 18, -80, 0, 42, 69, 43, 0,
    105, -24, -105, 0, 17, 127, 107, 0, 127, 8, -57, 0, 124, 127, 10, 0,
    -77, 24, 111, 0, 34, 10, 63, 0, 109, -38, -85, 0, 38, 39, 92, 0,
};
inline constexpr std::int32_t depthwise1_sums[] = {
    -349, 381, 61, 503, 306, 306, 128, 584,
};
inline constexpr float depthwise1_scales[] = {
    0x1.4538d8p-9f, 0x1.7acc5ap-8f, 0x1.3d8bf6p-9f, 0x1.086b5ap-7f,
    0x1.5334c8p-8f, 0x1.439612p-7f, 0x1.933ec4p-8f, 0x1.cd5b5ap-8f,
};
inline constexpr float depthwise1_bias[] = {
    -0x1.7b14c4p-4f, 0x1.292278p-3f, -0x1.37081ap-2f, -0x1.8489a4p-2f,
    -0x1.52ca5ap-5f, 0x1.3728a2p-1f, 0x1.9b6186p-1f, -0x1.65d43p-3f,
};
inline constexpr std::int32_t depthwise1_bias_codes[] = {
    -2478, 1668, -8329, -3124, -531, 4089, 8675, -1649,
};
inline constexpr float depthwise1_factors[] = {
    0x1.891aeap-11f, 0x1.c9dd3cp-10f, 0x1.7fd3e6p-11f, 0x1.3f9c76p-9f,
    0x1.9a0214p-10f, 0x1.8720bap-9f, 0x1.e769f6p-10f, 0x1.16d3dcp-9f,
};
inline constexpr pare::packed_depthwise_view depthwise1 = [] {
  pare::packed_depthwise_view l;
  l.out_channels = 8;
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
  l.outputs.out_features = 8;
  l.outputs.in_features = 0;
  l.outputs.tile_columns = 4;
  l.outputs.has_minus_128 = 1;
  l.outputs.panels = depthwise1_panels;
  l.outputs.sums = depthwise1_sums;
  l.outputs.scales = depthwise1_scales;
  l.outputs.bias = depthwise1_bias;
  l.outputs.bias_codes = depthwise1_bias_codes;
  l.outputs.factors = depthwise1_factors;
  l.outputs.options.act = pare::activation::relu;
  l.outputs.options.input = {0x1.ed3a26p-7f, 0};
  l.outputs.options.output = {0x1.980df8p-5f, 0};
  l.outputs.options.rule = pare::requantization::nearest;
  return l;
}();

// pointwise1: conv2d, 8 -> 16 channels, 1 x 1 window, relu; 448 bytes in panels of 4 outputs.
// Inputs: scale 0.0498113, zero point 0.
// Outputs: scale 0.0814581, zero point 0, rounded by nearest.
alignas(4) inline constexpr std::int8_t pointwise1_panels[] = {
    -35, 39, 15, 78, -114, -51, -44, 47, 36, 14, -37, 124, -92, 109, -123, -128,
    -19, -6, -128, -2, 33, 51, 126, 127, -1, -57, -128, 21, -19, -100, 29, -76,
    -14, -15, 30, -60, 9, -112, 64, 127, 9, 72, 7, 45, 42, -38, -21, 89,
    8, 127, 113, -60, 30, 53, 25, -44, -128, 119, 123, 108, 4, -16, -127, -49,
    33, -94, -16, 127, 127, -43, -53, 12, -111, -12, 57, -4, -46, 127, 62, -25,
    45, 14, 16, -101, -107, 66, 61, -115, -69, 3, -128, -96, 62, 81, 69, 25,
    27, 92, -2, -17, 34, -92, 76, -103, 14, 127, -26, -9, -18, 86, 49, 26,
    100, 127, -76, 98, 127, -89, 39, 42, 15, 45, -114, 63, 41, 16, -128, 114,
};
inline constexpr std::int32_t pointwise1_sums[] = {
    -58, 175, -28, -400, 129, 152, 355, -116,
    24, -52, -360, 355, 349, 34, 115, 186,
};
inline constexpr float pointwise1_scales[] = {
    0x1.da018cp-8f, 0x1.39eedap-9f, 0x1.9e66bep-8f, 0x1.3aaca6p-9f,
    0x1.0ac508p-7f, 0x1.2c9212p-8f, 0x1.011bcep-7f, 0x1.8dc7ap-8f,
    0x1.490428p-8f, 0x1.597c0ep-9f, 0x1.49cebep-9f, 0x1.4068fp-8f,
    0x1.0c0e24p-7f, 0x1.4430dp-9f, 0x1.6a21fap-8f, 0x1.8cd858p-8f,
};
inline constexpr float pointwise1_bias[] = {
    -0x1.77dp-4f, 0x1.8196e4p-5f, 0x1.9bd188p-3f, -0x1.129162p-2f,
    0x1.a56a6p-1f, 0x1.515e92p-1f, 0x1.47d124p-2f, -0x1.5215ccp-2f,
    -0x1.a92a5ep-4f, -0x1.41289ap-5f, -0x1.8f617ep-3f, 0x1.f2335ap-6f,
    0x1.799ca8p-5f, -0x1.9291ccp-4f, 0x1.ea1a46p-3f, 0x1.11fc2p-4f,
};
inline constexpr std::int32_t pointwise1_bias_codes[] = {
    -255, 395, 638, -2242, 2030, 2884, 819, -1092,
    -415, -299, -1556, 125, 113, -798, 869, 222,
};
inline constexpr float pointwise1_factors[] = {
    0x1.21da6ap-8f, 0x1.7ff024p-10f, 0x1.facf68p-9f, 0x1.80d844p-10f,
    0x1.4641f2p-8f, 0x1.6f988ep-9f, 0x1.3a7134p-8f, 0x1.e67b6ep-9f,
    0x1.92627ep-9f, 0x1.a68682p-10f, 0x1.935a4p-10f, 0x1.87dbf8p-9f,
    0x1.47d47p-8f, 0x1.8c7baep-10f, 0x1.bae2dp-9f, 0x1.e556cap-9f,
};
inline constexpr pare::packed_conv2d_view pointwise1 = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 16;
  l.in_channels = 8;
  l.groups = 1;
  l.window.height = 1;
  l.window.width = 1;
  l.window.stride_y = 1;
  l.window.stride_x = 1;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 0;
  l.window.pad_bottom = 0;
  l.window.pad_left = 0;
  l.window.pad_right = 0;
  l.taps = pare::conv2d_taps::pixels;
  l.first_group.out_features = 16;
  l.first_group.in_features = 8;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 1;
  l.first_group.panels = pointwise1_panels;
  l.first_group.sums = pointwise1_sums;
  l.first_group.scales = pointwise1_scales;
  l.first_group.bias = pointwise1_bias;
  l.first_group.bias_codes = pointwise1_bias_codes;
  l.first_group.factors = pointwise1_factors;
  l.first_group.options.act = pare::activation::relu;
  l.first_group.options.input = {0x1.980df8p-5f, 0};
  l.first_group.options.output = {0x1.4da6fap-4f, 0};
  l.first_group.options.rule = pare::requantization::nearest;
  return l;
}();

// depthwise2: depthwise_conv2d, 16 -> 16 channels, 3 x 3 window, relu; 512 bytes in panels of 4 outputs.
// Inputs: scale 0.0814581, zero point 0.
// Outputs: scale 0.101769, zero point 0, rounded by nearest.
alignas(4) inline constexpr std::int8_t depthwise2_panels[] = {
    -38, 74, 3, 0, -57, -53, 29, 0, 94, 35, -108, 0, 57, 1, -85, 0,
    -67, 83, -30, 0, 61, 56, -36, 0, 51, -29, -83, 0, 127, -55, 25, 0,
    -71, 127, -44, 0, -128, 51, -22, 0, 127, 31, 86, 0, -56, -75, 14, 0,
    -39, 127, 8, 0, -36, -63, 71, 0, 40, -128, 41, 0, 37, -49, 127, 0,
    -80, 63, 21, 0, 72, -50, 127, 0, 68, 117, 19, 0, 68, 121, 45, 0,
    -73, 35, -58, 0, 67, 85, 110, 0, -46, -12, -41, 0, -76, 70, 16, 0,
    -39, 37, 107, 0, 100, -69, 127, 0, 127, 31, -65, 0, -127, -24, -50, 0,
    127, 26, -9, 0, 43, -83, 3, 0, 3, 115, 90, 0, 1, -45, -15, 0,
    115, -83, -58, 0, 52, 20, -100, 0, 101, 74, 1, 0, -99, 58, 79, 0,
    76, 85, -72, 0, 127, 9, -111, 0, -9, 62, 127, 0, -23, -86, 26, 0,
    -114, 12, 37, 0, 27, 76, 22, 0, -2, 26, 11, 0, 51, 57, 37, 0,
    127, 122, -102, 0, 117, -45, -12, 0, 19, -79, 105, 0, 115, 0, 127, 0,
};
inline constexpr std::int32_t depthwise2_sums[] = {
    37, -99, 204, -47, 4, 383, 58, 359,
    223, 93, 477, -222, 171, 210, 260, 304,
};
inline constexpr float depthwise2_scales[] = {
    0x1.3ccafap-8f, 0x1.71ee48p-9f, 0x1.80883p-8f, 0x1.15a8a2p-9f,
    0x1.ed969ep-8f, 0x1.a50b5ap-8f, 0x1.58beccp-8f, 0x1.725ab8p-8f,
    0x1.4d06p-8f, 0x1.8decdap-10f, 0x1.48a0e8p-9f, 0x1.57da1ap-8f,
    0x1.492c06p-8f, 0x1.2e5bbp-9f, 0x1.76a96p-8f, 0x1.c8d37ep-8f,
};
inline constexpr float depthwise2_bias[] = {
    -0x1.46662ap-3f, -0x1.45c87ap-2f, 0x1.b6c51ap-2f, 0x1.3e1508p-2f,
    0x1.7c9716p-1f, 0x1.bf520ap-4f, 0x1.5bdadcp-1f, 0x1.138e9ep-2f,
    -0x1.e5d8e8p-4f, -0x1.310a64p-2f, 0x1.49f574p-2f, -0x1.83fcdep-6f,
    0x1.20c6c2p-2f, -0x1.1a375cp-2f, 0x1.4d601ep-2f, 0x1.643e02p-6f,
};
inline constexpr std::int32_t depthwise2_bias_codes[] = {
    -405, -1384, 896, 1800, 1212, 209, 1586, 585,
    -287, -2409, 1578, -55, 689, -1467, 699, 38,
};
inline constexpr float depthwise2_factors[] = {
    0x1.fb22f8p-9f, 0x1.2819e2p-9f, 0x1.33c9cap-8f, 0x1.bc7d26p-10f,
    0x1.8b1458p-8f, 0x1.51037ap-8f, 0x1.13f12cp-8f, 0x1.2870aep-8f,
    0x1.0a8f44p-8f, 0x1.3e822cp-10f, 0x1.070ab6p-9f, 0x1.133a1ep-8f,
    0x1.077a1p-8f, 0x1.e40762p-10f, 0x1.2be346p-8f, 0x1.6da778p-8f,
};
inline constexpr pare::packed_depthwise_view depthwise2 = [] {
  pare::packed_depthwise_view l;
  l.out_channels = 16;
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
  l.outputs.out_features = 16;
  l.outputs.in_features = 0;
  l.outputs.tile_columns = 4;
  l.outputs.has_minus_128 = 1;
  l.outputs.panels = depthwise2_panels;
  l.outputs.sums = depthwise2_sums;
  l.outputs.scales = depthwise2_scales;
  l.outputs.bias = depthwise2_bias;
  l.outputs.bias_codes = depthwise2_bias_codes;
  l.outputs.factors = depthwise2_factors;
  l.outputs.options.act = pare::activation::relu;
  l.outputs.options.input = {0x1.4da6fap-4f, 0};
  l.outputs.options.output = {0x1.a0d84cp-4f, 0};
  l.outputs.options.rule = pare::requantization::nearest;
  return l;
}();

// pointwise2: conv2d, 16 -> 32 channels, 1 x 1 window, relu; 1152 bytes in panels of 4 outputs.
// Inputs: scale 0.101769, zero point 0.
// Outputs: scale 0.0673931, zero point 0, rounded by nearest.
alignas(4) inline constexpr std::int8_t pointwise2_panels[] = {
    5, 19, -101, 20, 47, -25, -21, -1, -61, -34, -56, 67, 50, 19, 3, -11,
    55, -21, 37, 7, 127, -117, -77, 62, -21, -16, -128, -24, -125, -66, -61, 3,
    31, 35, 66, 68, 3, 22, 0, 35, -114, -27, 21, 44, 15, -26, 34, -127,
    -128, 14, 86, 26, 54, -40, -21, 13, 114, -13, -47, 95, 16, -26, 56, 49,
    -79, -36, 56, 27, 0, 18, -76, 47, -63, -49, -33, -94, -27, -17, 61, -30,
    127, -18, -49, -103, -127, 31, -30, -10, 44, -12, -105, -94, 127, 35, -57, 60,
    75, -1, -28, 67, 25, -25, -8, -30, 30, -2, 87, -22, 29, -36, -41, -22,
    89, -46, -29, -40, 74, -16, -4, 0, -128, -105, -55, -46, 15, 39, 8, 28,
    -29, 24, -127, 65, -2, 18, -30, -12, 9, 37, 44, 67, 48, -17, 55, 67,
    -29, 26, -48, 84, -128, -2, -16, 40, -128, 70, 89, 22, 127, -3, -66, 79,
    124, 2, 65, -43, -13, 13, 25, -49, -17, -18, 20, -48, -47, -18, -14, 32,
    -54, -49, 124, 104, 24, -12, 40, 30, 21, -14, -28, -70, 5, -27, -57, -71,
    -128, 35, 27, 21, -60, 11, 44, 30, -125, -55, 82, -34, -9, -12, 67, 48,
    -91, 54, 36, -20, -40, -128, 92, -17, 8, -40, -78, -79, 127, -69, 2, -5,
    0, -9, 42, 3, 38, 30, -10, 19, 127, -30, 55, 7, 71, -24, -19, 59,
    -71, -26, 38, 0, -14, -35, 27, -2, -53, -38, -48, 123, -59, 17, -21, 0,
    -31, 46, 23, -111, 56, -24, -13, -10, 53, -97, -64, 59, 4, 17, -98, 10,
    127, 61, 3, -18, -128, -45, 71, 26, 50, 28, -92, -80, -128, 77, -11, -36,
    49, -20, 48, -19, -85, 27, 37, -18, -100, -77, 55, -111, 60, -14, -18, 40,
    -20, -58, 62, 21, 31, -6, 28, 52, -72, 29, -128, -27, -42, 7, 38, 49,
    -44, -23, -76, -12, -47, 54, 93, 55, 50, 34, 45, -15, 51, -45, 2, -15,
    100, 37, -128, 19, 2, -36, 117, 127, 127, -8, -44, 43, 127, -122, -34, 64,
    2, 18, 48, 25, -31, -36, 3, 26, 26, -17, -22, 9, 51, -23, -40, -7,
    82, -13, 8, -45, 13, -4, -95, 41, -54, -12, 12, 35, 81, -38, -45, -32,
    -74, 26, -98, 10, -30, 68, -41, -109, -30, -39, 70, 32, -57, 99, -41, -16,
    -128, 35, -49, 53, 29, 81, -128, 14, 127, -115, 68, 27, -112, -25, -53, -90,
    -77, -27, -6, -75, 26, 15, -3, -41, 5, 21, 25, 34, 93, -97, -37, -9,
    61, -6, -52, 50, -102, 21, -88, -108, 55, 21, -56, -33, -128, 73, -59, 34,
    34, 42, -29, 10, -41, 32, -1, -26, 92, -2, -128, -3, 5, -28, -49, -24,
    127, -71, -13, -27, -94, 79, -128, 35, -41, 74, 76, -16, 127, 66, 40, 22,
    0, 20, -84, 62, 78, -8, 13, 32, -76, 35, -41, -36, -21, -11, 41, -48,
    17, -51, -12, 11, -21, 30, 78, 64, 74, 32, 22, -73, 0, -11, -10, -40,
};
inline constexpr std::int32_t pointwise2_sums[] = {
    219, 61, -200, -197, 12, -131, -647, 172,
    239, -74, 56, 93, -89, -15, -178, 173,
    163, -1, -574, -45, -2, 282, 209, -25,
    -357, -396, 212, -425, 36, 122, -11, 59,
};
inline constexpr float pointwise2_scales[] = {
    0x1.7e8d6cp-8f, 0x1.599c4cp-8f, 0x1.16cfeap-8f, 0x1.fc294p-8f,
    0x1.0bc71p-8f, 0x1.9d0366p-8f, 0x1.bdf482p-10f, 0x1.40541ap-8f,
    0x1.25c57p-8f, 0x1.ce0dbap-8f, 0x1.7d172ep-8f, 0x1.21c9cep-8f,
    0x1.c10d4ep-8f, 0x1.aba8cp-8f, 0x1.e6171ap-9f, 0x1.5a4e0ap-8f,
    0x1.6f9e18p-9f, 0x1.90bdd4p-8f, 0x1.d51edcp-10f, 0x1.afd40ep-8f,
    0x1.ae00acp-8f, 0x1.00fdeap-8f, 0x1.8904c2p-8f, 0x1.57d63cp-8f,
    0x1.8e1b7ep-8f, 0x1.e3d63cp-10f, 0x1.43598cp-8f, 0x1.076288p-9f,
    0x1.1e211p-8f, 0x1.4ddc9ep-8f, 0x1.5e5b04p-8f, 0x1.8d56c6p-8f,
};
inline constexpr float pointwise2_bias[] = {
    0x1.e0b488p-3f, -0x1.3d3a2cp-3f, 0x1.26a868p-2f, 0x1.287294p-2f,
    0x1.0693c4p-9f, 0x1.733b9p-3f, 0x1.a5628ap-6f, 0x1.a678p-4f,
    -0x1.9945bap-4f, -0x1.cabb92p-5f, 0x1.07dafcp-3f, 0x1.31cbep-2f,
    -0x1.271356p-3f, -0x1.3e2ef2p-5f, 0x1.0c9e36p-4f, 0x1.eb8a54p-3f,
    0x1.5a6ab6p-4f, -0x1.79706cp-3f, -0x1.03ff46p-2f, 0x1.084558p-2f,
    0x1.e487cp-4f, -0x1.d1d718p-3f, -0x1.2e5006p-3f, 0x1.a2e612p-4f,
    0x1.615be8p-5f, -0x1.7bacc2p-3f, -0x1.47f97ep-3f, -0x1.532a32p-3f,
    -0x1.1e8944p-3f, 0x1.3571dep-3f, 0x1.5fbee6p-4f, -0x1.3c9facp-5f,
};
inline constexpr std::int32_t pointwise2_bias_codes[] = {
    395, -289, 665, 367, 5, 283, 149, 207,
    -219, -78, 218, 664, -207, -58, 174, 446,
    296, -296, -1394, 385, 177, -570, -242, 192,
    70, -987, -319, -810, -315, 291, 158, -63,
};
inline constexpr float pointwise2_factors[] = {
    0x1.20d786p-7f, 0x1.04f306p-7f, 0x1.a50728p-8f, 0x1.7fae6ap-7f,
    0x1.945d6ap-8f, 0x1.37d74cp-7f, 0x1.50b69ep-9f, 0x1.e3b88ap-8f,
    0x1.bb9e08p-8f, 0x1.5cde4ep-7f, 0x1.1fbcf4p-7f, 0x1.b59a5p-8f,
    0x1.530d36p-7f, 0x1.42e634p-7f, 0x1.6f0458p-8f, 0x1.05793ap-7f,
    0x1.1590c2p-8f, 0x1.2e934ap-7f, 0x1.623444p-9f, 0x1.460c0ep-7f,
    0x1.44ab2ap-7f, 0x1.8413dcp-8f, 0x1.28be86p-7f, 0x1.039c32p-7f,
    0x1.2c9624p-7f, 0x1.6d50c6p-9f, 0x1.e84882p-8f, 0x1.8dbb48p-9f,
    0x1.b013cp-8f, 0x1.f8283cp-8f, 0x1.08883p-7f, 0x1.2c019cp-7f,
};
inline constexpr pare::packed_conv2d_view pointwise2 = [] {
  pare::packed_conv2d_view l;
  l.out_channels = 32;
  l.in_channels = 16;
  l.groups = 1;
  l.window.height = 1;
  l.window.width = 1;
  l.window.stride_y = 1;
  l.window.stride_x = 1;
  l.window.dilation_y = 1;
  l.window.dilation_x = 1;
  l.window.pad_top = 0;
  l.window.pad_bottom = 0;
  l.window.pad_left = 0;
  l.window.pad_right = 0;
  l.taps = pare::conv2d_taps::pixels;
  l.first_group.out_features = 32;
  l.first_group.in_features = 16;
  l.first_group.tile_columns = 4;
  l.first_group.has_minus_128 = 1;
  l.first_group.panels = pointwise2_panels;
  l.first_group.sums = pointwise2_sums;
  l.first_group.scales = pointwise2_scales;
  l.first_group.bias = pointwise2_bias;
  l.first_group.bias_codes = pointwise2_bias_codes;
  l.first_group.factors = pointwise2_factors;
  l.first_group.options.act = pare::activation::relu;
  l.first_group.options.input = {0x1.a0d84cp-4f, 0};
  l.first_group.options.output = {0x1.140ac6p-4f, 0};
  l.first_group.options.rule = pare::requantization::nearest;
  return l;
}();

// fc: linear, 128 -> 10, 8-bit weights; 1776 bytes in panels of 4 outputs.
// Inputs: scale 0.0673931, zero point 0.
// Outputs: scale 0.234272, zero point 183, rounded by nearest.
alignas(4) inline constexpr std::int8_t fc_panels[] = {
    -58, 53, -7, 7, 74, -13, 25, 23, -121, -6, -21, -11, -35, 12, -22, -36,
    18, -7, 13, -24, -71, 25, -12, -21, -35, -12, 0, 13, 8, -88, 0, 32,
    -83, 34, -69, 19, -5, 36, 2, 2, 2, -29, 21, 1, -14, -44, 30, 32,
    48, -56, -3, -24, 7, 33, -45, 15, -17, 44, -1, -16, 13, -119, 21, 25,
    -22, 33, 4, 23, 6, 14, -5, -29, -15, -69, -3, -17, 22, -58, -17, -5,
    28, 11, -67, 60, 9, -13, 46, -115, 13, -51, -55, 7, 11, -5, 3, 50,
    -12, 16, 3, -12, 41, -4, -48, -5, -36, 15, 4, -10, -102, -1, 9, -5,
    20, 15, -88, -56, 21, -1, -4, 43, -19, 27, -8, -13, 0, 23, 24, 8,
    -48, 51, -127, 24, -1, -17, -62, -36, -27, 35, -74, -40, 34, -27, 9, -20,
    37, -63, 3, -15, -128, -54, 8, 10, 9, -50, 2, -10, -21, 12, 6, 11,
    9, 4, 69, 18, -40, -12, -11, -15, -23, -24, -23, 32, -1, 15, -116, -4,
    -14, 14, 27, -15, 38, 27, -21, -22, -19, 4, -1, -5, -12, 21, 17, 11,
    -17, -7, 3, -7, 7, 11, -13, -7, -23, -5, -3, -13, -3, -3, -6, -26,
    70, -63, -37, 50, -53, 21, 3, -69, 20, 1, -16, 44, -26, 6, 9, -10,
    -74, 8, 19, -22, -34, -4, -100, -15, -30, -4, 8, -4, 32, 7, -32, -2,
    43, 10, -6, -18, -21, -65, -14, -30, 19, -28, -42, -42, -7, 6, 14, 5,
    45, -81, -46, -54, -56, 67, 1, -61, -45, 27, -1, 54, -127, -23, 34, 43,
    -29, -7, 8, -31, 32, -30, 13, 9, 3, 18, 10, -1, 10, 12, 8, 4,
    19, -10, -40, -17, -6, -32, 19, 9, 73, 27, 1, 9, -75, 13, 38, -7,
    -25, 35, 14, 36, 38, 18, 10, -24, -28, -114, -13, -16, -15, -120, -81, -48,
    -13, -35, 14, -37, 24, -36, 10, -50, -4, 20, -13, 11, -17, 0, -2, -10,
    -54, -2, -21, -64, 78, -3, 28, 44, -22, 23, -1, 32, 56, -25, -97, -42,
    -20, -17, -51, -5, -14, -1, 23, 10, 10, 10, 6, 15, 27, 3, -55, -3,
    -56, -21, -13, -58, 57, -12, 18, 10, -14, 46, -4, -40, -43, -44, 47, 42,
    39, 46, 43, 32, 4, -32, -50, -21, 54, -29, -34, 14, 21, -48, -20, -29,
    29, 35, -1, -15, -39, -7, -13, -6, -46, 6, -2, 24, -6, 4, -16, -12,
    1, 23, -49, 7, 20, -21, -88, -40, 40, 33, -19, -64, 36, -9, 46, -10,
    10, 2, -85, -2, 53, 9, 51, -38, 29, -35, 2, -38, -28, 21, -1, 0,
    -20, -15, 11, -18, 0, 11, 5, 24, 16, 13, 3, 35, -16, 21, 0, 15,
    84, -36, -102, 34, 66, 10, -14, -14, -128, -40, -45, -35, -24, 25, -43, -27,
    42, 4, 19, -2, -15, -7, -32, 6, 28, 8, -65, 11, 0, -3, 4, -14,
    14, 44, 31, 13, -36, 35, -12, -82, -25, 74, 35, 33, -59, -24, 19, -6,
    -34, -4, 75, 27, 79, -84, -19, -67, 62, -38, 14, 8, -39, 9, -18, -78,
    17, 106, -16, -40, 27, 16, -12, 16, -64, 14, 13, -28, 24, -49, -9, 15,
    -41, 40, -86, -67, 43, -33, 21, -10, 21, 25, -79, -51, -41, -39, 10, 25,
    18, 7, -72, 20, -52, -26, 4, 24, -11, -111, -74, -14, -9, -54, -27, 12,
    -15, 6, -7, 49, 18, 9, -7, 24, 3, 38, -24, -5, 7, -48, -4, -46,
    21, -75, -24, -56, -128, 31, 30, -18, -83, -10, 17, -35, 12, 7, -1, 0,
    109, 1, -81, 5, -52, 5, 66, -12, -1, 18, -122, -11, -37, -2, 9, 3,
    42, -27, 83, -27, -49, -11, -50, -47, -70, -13, -45, -38, 8, -3, 52, 0,
    -9, -3, -95, -38, 29, -61, 29, 17, 6, -5, -104, 23, -6, -9, 29, -67,
    -13, -1, 14, -25, -11, 9, -1, 25, -40, 21, 6, 4, 19, -18, -5, 33,
    26, 2, 79, -16, 3, 7, -85, -16, 31, -10, -128, 29, -16, -19, -47, -33,
    11, -17, -80, -15, -97, -94, -29, 33, 13, -85, -33, 28, -60, -17, 9, 11,
    5, -12, 3, 22, 23, -3, 6, -14, -14, -23, 11, 28, 13, 18, 9, 23,
    -21, -117, -7, -18, -71, -27, -4, -49, -60, -103, 48, -10, -14, 57, -44, -18,
    -27, -2, -17, 3, -24, 7, 51, -1, -53, 6, 24, -4, 18, 14, -8, -17,
    15, 23, 41, 12, -53, 11, 14, 64, 23, 56, 9, 7, -57, -31, 17, -30,
    -39, 33, -54, 45, 30, -36, -24, 37, -75, -34, -21, -37, 71, 4, -44, 30,
    -17, -40, -19, -45, -33, 4, 0, 5, -29, 16, -11, -10, 27, -13, -14, -14,
    53, 20, 10, 51, 35, 6, -19, -31, -56, 17, -14, -34, 4, -13, 18, 8,
    -122, -75, 54, 54, -66, 9, 51, -15, -42, 57, -24, 25, 21, 32, -10, 17,
    -2, -27, -9, -2, 1, 9, 14, -33, -19, 16, 16, -3, -2, -1, 0, 45,
    -67, -26, 120, 54, -31, -1, 17, -51, -30, -1, -34, -12, -3, 10, -44, 32,
    -25, 8, 53, 10, 4, -6, -41, -11, 15, 17, 31, -18, -19, -8, 62, -3,
    33, -52, -16, -9, -60, -24, 40, -14, 38, -8, -41, -125, 17, 12, 16, 35,
    -25, 59, -36, 14, -40, -25, -14, -33, -35, 44, -30, 53, -2, 18, 28, 25,
    32, -80, -13, 15, 3, 31, -11, -2, 25, -29, 7, 13, -37, -15, -6, 31,
    -92, -43, -128, 25, 0, -12, 29, -12, 50, -24, 55, 46, -128, 1, -25, 52,
    -42, -15, -3, 5, -6, -15, -1, 14, 5, -37, 9, -21, -4, 57, 17, 65,
    -39, -47, -3, -25, -3, 12, -13, -99, -29, -62, -12, 42, 1, -2, -4, -105,
    17, 19, 58, 36, -12, 12, -20, 21, 6, -41, -85, 10, -45, -9, 77, -25,
    -104, 10, 45, -22, 7, -5, 1, 6, -35, -13, 16, -6, 9, 1, -18, -11,
    78, 1, -93, -93, -23, -49, 15, -25, 24, 54, 73, -28, 15, -41, -51, 24,
    -9, 5, -45, 36, -42, 12, -16, 13, 0, 0, 0, 0, 0, 0, 0, 0,
    -13, -15, 6, -21, -4, -46, 0, -3, 0, 0, 0, 0, 0, 0, 0, 0,
    7, -3, -2, 14, -36, -15, 23, 8, 0, 0, 0, 0, 0, 0, 0, 0,
    -14, -55, 31, -39, 1, 49, 20, -19, 0, 0, 0, 0, 0, 0, 0, 0,
    11, -3, -25, 16, 4, -21, -7, 7, 0, 0, 0, 0, 0, 0, 0, 0,
    42, -9, -45, 14, 40, 18, -14, 19, 0, 0, 0, 0, 0, 0, 0, 0,
    -50, 2, -40, 0, -45, -11, 30, -12, 0, 0, 0, 0, 0, 0, 0, 0,
    2, 22, -62, 24, 19, -28, -10, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    -11, 38, 60, 28, 1, 25, 51, 7, 0, 0, 0, 0, 0, 0, 0, 0,
    9, 24, 9, -14, 34, 44, -13, -12, 0, 0, 0, 0, 0, 0, 0, 0,
    -1, 10, 9, 33, 6, 21, 67, -35, 0, 0, 0, 0, 0, 0, 0, 0,
    24, 56, 13, 10, 45, 48, 32, -26, 0, 0, 0, 0, 0, 0, 0, 0,
    8, 16, -2, -28, -14, -7, 16, 21, 0, 0, 0, 0, 0, 0, 0, 0,
    9, -31, 10, 35, 50, 10, -22, -6, 0, 0, 0, 0, 0, 0, 0, 0,
    32, 1, 12, 2, 37, -4, -8, -11, 0, 0, 0, 0, 0, 0, 0, 0,
    35, 15, -15, 29, 12, 10, -8, -17, 0, 0, 0, 0, 0, 0, 0, 0,
    -39, 48, 4, -128, -77, -50, -49, 51, 0, 0, 0, 0, 0, 0, 0, 0,
    16, 2, 5, -17, -32, -6, -1, 15, 0, 0, 0, 0, 0, 0, 0, 0,
    -48, -22, -56, -20, -62, 31, 8, -2, 0, 0, 0, 0, 0, 0, 0, 0,
    42, -46, -38, -88, 22, -128, -22, 25, 0, 0, 0, 0, 0, 0, 0, 0,
    -22, -22, 4, 23, 17, 14, -8, -5, 0, 0, 0, 0, 0, 0, 0, 0,
    -7, 9, -55, 20, -36, -11, 53, -57, 0, 0, 0, 0, 0, 0, 0, 0,
    -19, 1, 27, 4, -27, -11, -67, -3, 0, 0, 0, 0, 0, 0, 0, 0,
    19, 40, -59, -108, -6, -16, -2, 9, 0, 0, 0, 0, 0, 0, 0, 0,
    -3, -47, -34, -15, 7, 27, 25, -72, 0, 0, 0, 0, 0, 0, 0, 0,
    12, -41, 0, -15, 0, 11, -10, 19, 0, 0, 0, 0, 0, 0, 0, 0,
    32, 31, 39, -37, -56, -30, 13, -30, 0, 0, 0, 0, 0, 0, 0, 0,
    -24, -27, -39, -24, -38, -18, -18, 14, 0, 0, 0, 0, 0, 0, 0, 0,
    -11, 48, -7, -2, 17, -7, 11, -31, 0, 0, 0, 0, 0, 0, 0, 0,
    -95, -39, -65, -15, -10, 15, 55, -2, 0, 0, 0, 0, 0, 0, 0, 0,
    -10, 3, -14, -12, -9, 0, -6, -16, 0, 0, 0, 0, 0, 0, 0, 0,
    -43, -30, -5, -23, 47, -106, -24, 29, 0, 0, 0, 0, 0, 0, 0, 0,
};
inline constexpr std::int32_t fc_sums[] = {
    -675, -768, -818, -1009, -860, -1079, -1378, -391,
    -835, -337, 0, 0,
};
inline constexpr float fc_scales[] = {
    0x1.457732p-8f, 0x1.766246p-8f, 0x1.6eb592p-8f, 0x1.963e26p-8f,
    0x1.0298dep-8f, 0x1.816ab8p-8f, 0x1.251194p-8f, 0x1.8a862ap-8f,
    0x1.483e58p-8f, 0x1.5f1e22p-8f, 0x1p0f, 0x1p0f,
};
inline constexpr float fc_bias[] = {
    0x1.65ba02p-5f, -0x1.88327ep-4f, -0x1.1b252cp-5f, 0x1.33f4eap-5f,
    -0x1.cea0aep-5f, 0x1.8fbe28p-4f, -0x1.75ecb6p-7f, 0x1.8358cap-6f,
    -0x1.14da7ep-8f, 0x1.096fd6p-5f, 0.0f, 0.0f,
};
inline constexpr std::int32_t fc_bias_codes[] = {
    130, -249, -92, 90, -212, 246, -38, 58,
    -13, 90, 0, 0,
};
inline constexpr float fc_factors[] = {
    0x1.7681a6p-10f, 0x1.aecbb2p-10f, 0x1.a5f6f4p-10f, 0x1.d3747ep-10f,
    0x1.298ff4p-10f, 0x1.bb7dbap-10f, 0x1.513a5cp-10f, 0x1.c5f878p-10f,
    0x1.79b3f6p-10f, 0x1.940618p-10f, 0.0f, 0.0f,
};
inline constexpr pare::packed_linear_view fc = [] {
  pare::packed_linear_view l;
  l.out_features = 10;
  l.in_features = 128;
  l.tile_columns = 4;
  l.has_minus_128 = 1;
  l.panels = fc_panels;
  l.sums = fc_sums;
  l.scales = fc_scales;
  l.bias = fc_bias;
  l.bias_codes = fc_bias_codes;
  l.factors = fc_factors;
  l.options.act = pare::activation::none;
  l.options.input = {0x1.140ac6p-4f, 0};
  l.options.output = {0x1.dfca36p-3f, 183};
  l.options.rule = pare::requantization::nearest;
  return l;
}();

}  // namespace digits::cnn

#endif  // DIGITS_CNN_HPP
