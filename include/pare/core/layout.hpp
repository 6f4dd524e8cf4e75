// Where the element at an index lies: row-major, column-major, or any strides.
//
// Vocabulary of ISO C++23 [mdspan.layout].
#ifndef PARE_CORE_LAYOUT_HPP
#define PARE_CORE_LAYOUT_HPP

#include <pare/core/extents.hpp>

namespace pare {

namespace detail {

/// The extents and what follows from them alone, shared by all mappings. Static extents take no
/// room.
template <class Extents>
class mapping_base : private Extents {
 public:
  using extents_type = Extents;
  using index_type = typename Extents::index_type;
  using rank_type = typename Extents::rank_type;

  constexpr mapping_base() noexcept = default;
  constexpr PARE_ALWAYS_INLINE explicit mapping_base(const Extents& e) noexcept : Extents(e) {}

  constexpr PARE_ALWAYS_INLINE const Extents& extents() const noexcept { return *this; }

 protected:
  /// The product of the extents first, first + 1, ..., last - 1.
  constexpr PARE_ALWAYS_INLINE index_type product(rank_type first, rank_type last) const noexcept {
    index_type p = 1;
    for (rank_type r = first; r < last; ++r) p *= extents().extent(r);
    return p;
  }
};

}  // namespace detail

/// Row-major: the last index runs fastest. PyTorch's and NumPy's default.
struct layout_right {
  template <class Extents>
  class mapping : public detail::mapping_base<Extents> {
    using base = detail::mapping_base<Extents>;

   public:
    using typename base::index_type;
    using typename base::rank_type;
    using layout_type = layout_right;

    constexpr mapping() noexcept = default;
    constexpr PARE_ALWAYS_INLINE mapping(const Extents& e) noexcept : base(e) {}
    template <class Other>
    constexpr PARE_ALWAYS_INLINE mapping(const mapping<Other>& other) noexcept
        : base(Extents(other.extents())) {}

    template <class... I>
    constexpr PARE_ALWAYS_INLINE index_type operator()(I... i) const noexcept {
      index_type offset = 0;
      [[maybe_unused]] rank_type r = 0;
      ((offset = offset * this->extents().extent(r++) + static_cast<index_type>(i)), ...);
      return offset;
    }
    constexpr PARE_ALWAYS_INLINE index_type stride(rank_type r) const noexcept {
      return this->product(r + 1, Extents::rank());
    }
    constexpr PARE_ALWAYS_INLINE index_type required_span_size() const noexcept {
      return this->product(0, Extents::rank());
    }
    static constexpr PARE_ALWAYS_INLINE bool is_always_exhaustive() noexcept { return true; }
    constexpr PARE_ALWAYS_INLINE bool is_exhaustive() const noexcept { return true; }
  };
};

/// Column-major: the first index runs fastest. Eigen's and Fortran's default.
struct layout_left {
  template <class Extents>
  class mapping : public detail::mapping_base<Extents> {
    using base = detail::mapping_base<Extents>;

   public:
    using typename base::index_type;
    using typename base::rank_type;
    using layout_type = layout_left;

    constexpr mapping() noexcept = default;
    constexpr PARE_ALWAYS_INLINE mapping(const Extents& e) noexcept : base(e) {}
    template <class Other>
    constexpr PARE_ALWAYS_INLINE mapping(const mapping<Other>& other) noexcept
        : base(Extents(other.extents())) {}

    template <class... I>
    constexpr PARE_ALWAYS_INLINE index_type operator()(I... i) const noexcept {
      index_type offset = 0;
      [[maybe_unused]] index_type stride = 1;
      [[maybe_unused]] rank_type r = 0;
      ((offset += static_cast<index_type>(i) * stride, stride *= this->extents().extent(r++)), ...);
      return offset;
    }
    constexpr PARE_ALWAYS_INLINE index_type stride(rank_type r) const noexcept {
      return this->product(0, r);
    }
    constexpr PARE_ALWAYS_INLINE index_type required_span_size() const noexcept {
      return this->product(0, Extents::rank());
    }
    static constexpr PARE_ALWAYS_INLINE bool is_always_exhaustive() noexcept { return true; }
    constexpr PARE_ALWAYS_INLINE bool is_exhaustive() const noexcept { return true; }
  };
};

/// Any strides, in elements: rows of a larger matrix, a transposed view, every second column.
struct layout_stride {
  template <class Extents>
  class mapping : public detail::mapping_base<Extents> {
    using base = detail::mapping_base<Extents>;

   public:
    using typename base::index_type;
    using typename base::rank_type;
    using layout_type = layout_stride;
    using strides_type = detail::value_array<index_type, Extents::rank()>;

    constexpr mapping() noexcept = default;
    constexpr PARE_ALWAYS_INLINE mapping(const Extents& e, const strides_type& strides) noexcept
        : base(e), strides_(strides) {}
    /// The same places in memory as another mapping of the same rank.
    template <class Mapping, class = decltype(std::declval<const Mapping&>().stride(0))>
    constexpr PARE_ALWAYS_INLINE mapping(const Mapping& other) noexcept
        : base(Extents(other.extents())) {
      if constexpr (Extents::rank() > 0) {
        if constexpr (std::is_same_v<typename Mapping::layout_type, layout_right>) {
          assign_row_major(std::make_index_sequence<Extents::rank()>());
        } else {
          for (rank_type r = 0; r < Extents::rank(); ++r)
            strides_[r] = static_cast<index_type>(other.stride(r));
        }
      }
    }

    template <class... I>
    constexpr PARE_ALWAYS_INLINE index_type operator()(I... i) const noexcept {
      index_type offset = 0;
      [[maybe_unused]] rank_type r = 0;
      ((offset += static_cast<index_type>(i) * strides_[r++]), ...);
      return offset;
    }
    constexpr PARE_ALWAYS_INLINE index_type stride(rank_type r) const noexcept {
      return strides_[r];
    }
    constexpr PARE_ALWAYS_INLINE index_type required_span_size() const noexcept {
      index_type last = 0;
      for (rank_type r = 0; r < Extents::rank(); ++r) {
        if (this->extents().extent(r) == 0) return 0;
        last += (this->extents().extent(r) - 1) * strides_[r];
      }
      return last + 1;
    }
    static constexpr PARE_ALWAYS_INLINE bool is_always_exhaustive() noexcept { return false; }
    constexpr PARE_ALWAYS_INLINE bool is_exhaustive() const noexcept {
      return required_span_size() == this->product(0, Extents::rank());
    }

   private:
    /// No loops, which cost more at -Os than what they do.
    template <std::size_t... R>
    constexpr PARE_ALWAYS_INLINE void assign_row_major(std::index_sequence<R...>) noexcept {
      constexpr rank_type last = Extents::rank() - 1;
      index_type stride = 1;
      ((strides_[last - R] = stride, stride *= this->extents().extent(last - R)), ...);
    }

    strides_type strides_{};
  };
};

}  // namespace pare

#endif  // PARE_CORE_LAYOUT_HPP
