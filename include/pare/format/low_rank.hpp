// A matrix as the product of two thin ones: W [out, in] = left [out, rank] * right [rank, in].
#ifndef PARE_FORMAT_LOW_RANK_HPP
#define PARE_FORMAT_LOW_RANK_HPP

#include <pare/core/tensor_view.hpp>

namespace pare {

/// Two factors that live elsewhere, row-major.
template <class T>
struct low_rank_view {
  matrix_view<const T> left;   ///< [out, rank]
  matrix_view<const T> right;  ///< [rank, in]

  constexpr PARE_ALWAYS_INLINE index_t out_features() const noexcept { return left.extent(0); }
  constexpr PARE_ALWAYS_INLINE index_t in_features() const noexcept { return right.extent(1); }
  constexpr PARE_ALWAYS_INLINE index_t rank() const noexcept { return right.extent(0); }
  /// Bytes of both factors.
  constexpr PARE_ALWAYS_INLINE index_t bytes() const noexcept {
    return static_cast<index_t>((left.size() + right.size()) * sizeof(T));
  }
};

}  // namespace pare

#endif  // PARE_FORMAT_LOW_RANK_HPP
