#include "quantizers.hpp"

#include <utility>

#include <pare/core/std_threads.hpp>
#include <pare/quantize/ada_round.hpp>
#include <pare/quantize/awq.hpp>
#include <pare/quantize/bias_correction.hpp>
#include <pare/quantize/calibrated.hpp>
#include <pare/quantize/calibrated_codebook.hpp>
#include <pare/quantize/codebook.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/hqq.hpp>
#include <pare/quantize/nonlinear.hpp>
#include <pare/quantize/search_scheme.hpp>

namespace comparison {
namespace {

using demo::dense;
using pare::hessian;
using pare::index_t;
using affine_half = pare::half_scheme<pare::affine_scheme>;
using affine_search = pare::half_scheme<pare::search_scheme<pare::affine_scheme>>;

const pare::std_threads in_parallel;

pare::affine_scheme affine_of(int bits) {
  pare::affine_scheme scheme;
  scheme.options.bits = bits;
  return scheme;
}

/// Codes with `bits_of_group` bits of scales and zero points for each group.
template <class Grid>
quantized_layer layer_of(const pare::grid_tensor<Grid>& q, const pare::tensor<float, 1>& bias,
                         int bits, int bits_of_group) {
  return {pare::dequantize(q).value(), bias,
          static_cast<double>(q.codes.size() * bits + q.grids.size() * bits_of_group)};
}

constexpr int half_bits = 16, float_bits = 32;

template <class Scheme>
quantizer nearest(const char* name, const char* grids, int bits, index_t in_group,
                  const Scheme& scheme, int bits_of_group) {
  return {name, grids, bits, [=](const dense& l, const hessian&) {
            const auto q = pare::quantize_to_grid(l.weight.view(), scheme, in_group).value();
            return layer_of(q, l.bias, bits, bits_of_group);
          }};
}

template <class Scheme>
quantizer gptq(const char* name, const char* grids, int bits, pare::gptq_options options,
               const Scheme& scheme, int bits_of_group) {
  return {name, grids, bits, [=](const dense& l, const hessian& h) {
            const auto q = pare::gptq(l.weight.view(), h, scheme, options, in_parallel).value();
            return layer_of(q, l.bias, bits, bits_of_group);
          }};
}

quantized_layer corrected(const dense& l, const hessian& h, quantized_layer q) {
  pare::correct_bias(l.weight.view(), q.weight.view(), h, q.bias.view()).is_ok();
  return q;
}

/// The table of one tensor; the codes are found again by the scheme.
quantized_layer with_codebook(const dense& l, const pare::codebook_tensor<2>& q, int bits,
                              double table_bits) {
  quantized_layer layer{pare::tensor<float, 2>(l.weight.extents()), l.bias,
                        static_cast<double>(l.weight.size()) * bits + table_bits};
  static_cast<void>(pare::dequantize(q.view(), layer.weight.view()).is_ok());
  return layer;
}

pare::codebook codebook_of(int bits) {
  pare::codebook options;
  options.levels = index_t{1} << bits;
  options.search = pare::codebook_search::density;
  return options;
}

/// The importance of each weight is that of its input.
pare::tensor<float, 2> importance_of(const dense& l, const hessian& h) {
  pare::tensor<float, 2> importance(l.weight.extents());
  for (index_t r = 0; r < importance.extent(0); ++r) {
    for (index_t i = 0; i < importance.extent(1); ++i) importance(r, i) = h.gram(i, i);
  }
  return importance;
}

quantizer on_curve(const char* name, pare::level_curve curve, int bits) {
  return {name, "output", bits, [=](const dense& l, const hessian&) {
            pare::nonlinear options;
            options.curve = curve;
            options.bits = bits;
            options.axis = 0;
            const auto q = pare::quantize_nonlinear(l.weight.view(), options).value();
            // A range and a shape for each output.
            return with_codebook(l, q.codebook, bits,
                                 2.0 * half_bits * static_cast<double>(l.weight.extent(0)));
          }};
}

}  // namespace

std::vector<quantizer> quantizers(int bits) {
  const pare::affine_scheme affine = affine_of(bits);
  const affine_half halves{affine};
  const affine_search searched{{affine}};
  pare::gptq_options by_row, by_group, ordered;
  by_group.group = ordered.group = group;
  ordered.order = pare::input_order::activation;
  pare::hqq_scheme hqq;
  hqq.options.bits = bits;
  const double table_bits = float_bits * static_cast<double>(index_t{1} << bits);

  std::vector<quantizer> all;
  all.push_back(nearest("nearest", "output", bits, 0, affine, float_bits));
  all.push_back(on_curve("linear, fitted", pare::level_curve::linear, bits));
  all.push_back(on_curve("sigmoid", pare::level_curve::sigmoid, bits));
  all.push_back(on_curve("mu-law", pare::level_curve::mu_law, bits));
  all.push_back({"codebook", "layer", bits, [=](const dense& l, const hessian&) {
                   const auto q =
                       pare::quantize_codebook(l.weight.view(), codebook_of(bits)).value();
                   return with_codebook(l, q, bits, table_bits);
                 }});
  all.push_back({"codebook by Hessian", "layer", bits, [=](const dense& l, const hessian& h) {
                   const auto q =
                       pare::quantize_codebook(l.weight.view(), importance_of(l, h).view(),
                                               codebook_of(bits))
                           .value();
                   return with_codebook(l, q, bits, table_bits);
                 }});
  all.push_back({"GPTQ, codebook", "layer", bits, [=](const dense& l, const hessian& h) {
                   const auto book =
                       pare::quantize_codebook(l.weight.view(), codebook_of(bits)).value();
                   const pare::codebook_scheme scheme{book.levels.data(),
                                                      static_cast<std::int32_t>(1 << bits)};
                   pare::gptq_options options;
                   options.order = pare::input_order::activation;
                   const auto q =
                       pare::gptq(l.weight.view(), h, scheme, options, in_parallel).value();
                   quantized_layer layer = layer_of(q, l.bias, bits, 0);
                   layer.bits += table_bits;
                   return layer;
                 }});
  all.push_back(gptq("GPTQ", "output", bits, by_row, affine, float_bits));

  all.push_back(nearest("nearest", "group", bits, group, halves, half_bits));
  all.push_back({"nearest, bias corrected", "group", bits, [=](const dense& l, const hessian& h) {
                   const auto q = pare::quantize_to_grid(l.weight.view(), halves, group).value();
                   return corrected(l, h, layer_of(q, l.bias, bits, half_bits));
                 }});
  all.push_back(nearest("searched scales", "group", bits, group, searched, half_bits));
  all.push_back(nearest("HQQ", "group", bits, group, hqq, 2 * half_bits));
  if (bits == 4) {
    all.push_back(nearest("NF4", "group", bits, group, pare::nf4_scheme(), half_bits));
    all.push_back(nearest("MXFP4", "32 inputs", bits, 32, pare::mx_scheme(), 8));
  }
  all.push_back({"AWQ", "group", bits, [=](const dense& l, const hessian& h) {
                   pare::awq_options options;
                   options.group = group;
                   const auto q =
                       pare::awq(l.weight.view(), h, halves, options, in_parallel).value();
                   quantized_layer layer = layer_of(q.weights, l.bias, bits, half_bits);
                   layer.bits += half_bits * static_cast<double>(q.scales.size());
                   for (index_t r = 0; r < layer.weight.extent(0); ++r) {
                     for (index_t i = 0; i < layer.weight.extent(1); ++i) {
                       layer.weight(r, i) /= q.scales(i);
                     }
                   }
                   return layer;
                 }});
  all.push_back({"AdaRound", "group", bits, [=](const dense& l, const hessian& h) {
                   pare::ada_round_options options;
                   options.group = group;
                   const auto q =
                       pare::ada_round(l.weight.view(), h, searched, options, in_parallel).value();
                   return layer_of(q, l.bias, bits, half_bits);
                 }});
  all.push_back(gptq("GPTQ", "group", bits, by_group, halves, half_bits));
  all.push_back(gptq("GPTQ, activation order", "group", bits, ordered, halves, half_bits));
  all.push_back(gptq("GPTQ, order, searched scales", "group", bits, ordered, searched, half_bits));
  if (bits == 4) {
    all.push_back(gptq("GPTQ, order, NF4", "group", bits, ordered, pare::nf4_scheme(), half_bits));
  }
  const auto together = [=](index_t in_group, pare::scale_change scales, int bits_of_group) {
    return [=](const dense& l, const hessian& h) {
      pare::calibrated_options options;
      options.group = in_group;
      options.refining.scales = scales;
      options.refining.sweeps = 20;
      const auto q =
          pare::quantize_calibrated(l.weight.view(), l.bias.view(), h, affine, options, in_parallel)
              .value();
      return layer_of(q.weights, q.bias, bits, bits_of_group);
    };
  };
  all.push_back({"all together, codebook", "layer", bits, [=](const dense& l, const hessian& h) {
                   pare::calibrated_codebook_options options;
                   options.start = codebook_of(bits);
                   options.sweeps = 20;
                   const auto q = pare::quantize_calibrated_codebook(l.weight.view(), l.bias.view(),
                                                                     h, options, in_parallel)
                                      .value();
                   quantized_layer layer = with_codebook(l, q.weights, bits, table_bits);
                   for (index_t r = 0; r < layer.bias.extent(0); ++r) layer.bias(r) = q.bias(r);
                   return layer;
                 }});
  all.push_back({"all together", "output", bits, together(0, pare::scale_change::any, float_bits)});
  all.push_back(
      {"all together", "group", bits, together(group, pare::scale_change::to_half, half_bits)});
  return all;
}

}  // namespace comparison
