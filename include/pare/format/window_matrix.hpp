// The weights of a convolution as a matrix, in the order in which a window reads images: what turns
// them into those of a linear layer over windows.
#ifndef PARE_FORMAT_WINDOW_MATRIX_HPP
#define PARE_FORMAT_WINDOW_MATRIX_HPP

#include <pare/core/tensor_view.hpp>

namespace pare {

/// Maps [out, taps * in] to weights [out, in, kh, kw]: a column is the tap's row, then its column,
/// then the channel, as NHWC images have them.
struct layout_window {
  template <class Extents>
  class mapping {
   public:
    using extents_type = Extents;
    using index_type = typename Extents::index_type;
    using layout_type = layout_window;

    constexpr mapping() noexcept = default;
    /// @param in       channels
    /// @param width    taps of a row of the window
    /// @param strides  of the weights: out, in, kh, kw
    constexpr PARE_ALWAYS_INLINE mapping(const Extents& e, index_t in, index_t width,
                                         const index_t (&strides)[4]) noexcept
        : extents_(e), in_(in), width_(width) {
      for (int i = 0; i < 4; ++i) strides_[i] = strides[i];
    }

    constexpr PARE_ALWAYS_INLINE const Extents& extents() const noexcept { return extents_; }
    constexpr PARE_ALWAYS_INLINE index_t operator()(index_t out, index_t column) const noexcept {
      const index_t tap = column / in_;
      return out * strides_[0] + column % in_ * strides_[1] + tap / width_ * strides_[2] +
             tap % width_ * strides_[3];
    }
    static constexpr PARE_ALWAYS_INLINE bool is_always_exhaustive() noexcept { return false; }

   private:
    Extents extents_{};
    index_t in_ = 1, width_ = 1;
    index_t strides_[4] = {};
  };
};

/// A matrix [out, kh * kw * in] of the weights of a convolution.
template <class T>
using window_matrix_view = tensor_view<T, dextents<index_t, 2>, layout_window>;

/// The weights [out, in, kh, kw], in any layout, as such a matrix: nothing is copied.
///
///     auto w = pare::make_bcsr(pare::as_window_matrix(weights), shape, memory);
template <class T, class E, class L>
constexpr PARE_ALWAYS_INLINE window_matrix_view<T> as_window_matrix(
    const tensor_view<T, E, L>& w) noexcept {
  static_assert(E::rank() == 4, "pare: weights of a convolution are [out, in, kh, kw]");
  using mapping = typename window_matrix_view<T>::mapping_type;
  const dextents<index_t, 2> extents(w.extent(0), w.extent(1) * w.extent(2) * w.extent(3));
  return {w.data_handle(), mapping(extents, w.extent(1), w.extent(3),
                                   {w.stride(0), w.stride(1), w.stride(2), w.stride(3)})};
}

}  // namespace pare

#endif  // PARE_FORMAT_WINDOW_MATRIX_HPP
