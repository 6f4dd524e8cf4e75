// Other libraries, doing the same product: weights are prepared when a peer is made, a call runs
// the product.
#ifndef PARE_BENCHMARKS_SUPPORT_PEERS_HPP
#define PARE_BENCHMARKS_SUPPORT_PEERS_HPP

#include <cstdint>
#include <functional>
#include <string>

namespace pare_bench {

/// A product C [m, n] = A [m, k] * W [n, k]^T.
struct product_shape {
  long m, n, k;
};

/// f32 by Eigen, in a translation unit of its own with -O3 -march=native.
std::function<void()> eigen_f32(product_shape shape);

/// "oneDNN 2.6", or empty where it was not found when this program was built.
std::string onednn_name();
enum class onednn_kind { u8_s32, s8_s8, f32 };
/// Empty where oneDNN is missing or refuses. One thread.
std::function<void()> onednn(product_shape shape, onednn_kind kind);

/// s8 x s8 -> s8 by XNNPACK, which takes one scale for all weights here. Empty where it was not
/// found when this program was built, or refuses. One thread.
std::function<void()> xnnpack_s8(product_shape shape);

}  // namespace pare_bench

#endif  // PARE_BENCHMARKS_SUPPORT_PEERS_HPP
