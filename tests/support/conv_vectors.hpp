// The reference values of tools/make_conv_vectors.py, for `conv2d` and `depthwise_conv2d`.
#ifndef PARE_TESTS_SUPPORT_CONV_VECTORS_HPP
#define PARE_TESTS_SUPPORT_CONV_VECTORS_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/format/activation.hpp>
#include <pare/format/window.hpp>

#include "support/check.hpp"
#include "support/vectors.hpp"

namespace pare_test {

/// One case of a file.
struct conv_vector {
  const archive* file;
  std::string id;
  pare::tensor<std::int8_t, 4> w;
  pare::tensor<float, 1> scales;
  pare::window window;
  index_t groups;

  conv_vector(const archive& a, int i)
      : file(&a),
        id(std::to_string(i)),
        w(a.get<std::int8_t, 4>("w" + id)),
        scales(a.get<float, 1>("w_scales" + id)) {
    const auto v = a.get<std::int32_t, 1>("window" + id);
    window = {w.extent(2), w.extent(3), v(0), v(1), v(2), v(3), v(4), v(5), v(6), v(7)};
    groups = v(8);
  }

  bool is_depthwise() const { return w.extent(1) == 1 && groups > 1; }
  pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> view() const {
    return {w.view(), scales.view(), {}, 0};
  }
  pare::affine_params params(const char* name) const {
    return {file->scalar<float>(name + ("_scale" + id)),
            file->scalar<std::int32_t>(name + ("_zero" + id))};
  }
  template <class Options>
  Options options(pare::requantization rule, pare::activation act = {}) const {
    Options o;
    o.window = window;
    o.act = act;
    o.input = params("x");
    o.output = params("y");
    o.rule = rule;
    return o;
  }
};

/// Every value that a framework gives, beside ours.
///
/// @param pack    (case, bias, rule, activation): a layer
/// @param run     (x, layer, y): a status
/// @param wanted  (case): whether to take it
template <class Pack, class Run, class Wanted>
void check_conv_vectors(Pack pack, Run run, Wanted wanted) {
  using pare::activation;
  using rule = pare::requantization;
  int cases = 0;
  const auto compare = [&](const conv_vector& v, const auto& bias, rule r, activation act,
                           auto code, const std::string& name) {
    using C = decltype(code);
    const auto x = v.file->template get<C, 4>("x" + v.id), y = v.file->template get<C, 4>(name);
    pare::tensor<C, 4> ours(y.extents());
    REQUIRE(run(x.view(), pack(v, bias.view(), r, act), ours.view()) == pare::status::ok);
    CHECK(equal(ours, y));
    ++cases;
  };
  for (const char* name :
       {"kernels/pytorch_conv.npz", "kernels/tflite_conv.npz", "kernels/onnx_conv.npz"}) {
    CAPTURE(name);
    const archive a = load(name);
    for (int i = 0; i < a.scalar<int>("cases"); ++i) {
      CAPTURE(i);
      const conv_vector v(a, i);
      if (!wanted(v)) continue;
      if (a.has("y_double0")) {
        const auto bias = a.get<std::int32_t, 1>("bias" + v.id);
        compare(v, bias, rule::double_rounding, activation::none, std::int8_t{}, "y_double" + v.id);
        compare(v, bias, rule::single_rounding, activation::none, std::int8_t{}, "y_single" + v.id);
      } else if (a.has("bias0")) {
        const auto bias = a.get<float, 1>("bias" + v.id);
        for (const auto act : {activation::none, activation::relu}) {
          const char* suffix = act == activation::relu ? "_1" : "_0";
          compare(v, bias, rule::nearest, act, std::uint8_t{}, "y" + v.id + suffix);
        }
      } else {
        const pare::tensor<float, 1> none;
        compare(v, none, rule::onnx, activation::none, std::int8_t{}, "y" + v.id);
      }
    }
  }
  CHECK(cases > 0);
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_CONV_VECTORS_HPP
