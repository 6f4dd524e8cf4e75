// A tensor that owns its memory, 64-byte aligned. Host tier only.
#ifndef PARE_CORE_TENSOR_HPP
#define PARE_CORE_TENSOR_HPP

#include <cstring>
#include <initializer_list>
#include <new>
#include <utility>

#include <pare/core/for_each.hpp>
#include <pare/core/result.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// Row-major elements of a trivial type, zero on creation. Moves are cheap; copies copy the
/// elements.
///
///     pare::tensor<float, 2> w({128, 784});
///     w(0, 0) = 1.0f;
///     use(w.view());
///
/// @tparam T     trivially copyable element type
/// @tparam Rank  number of dimensions, 0 to 8
template <class T, std::size_t Rank>
class tensor {
  static_assert(std::is_trivially_copyable_v<T>, "pare: tensor elements are trivially copyable");
  static_assert(Rank <= 8, "pare: a tensor has at most 8 dimensions");

 public:
  static constexpr std::size_t alignment = 64;
  using element_type = T;
  using value_type = T;
  using extents_type = dextents<index_t, Rank>;
  using view_type = tensor_view<T, extents_type>;
  using const_view_type = tensor_view<const T, extents_type>;

  /// No elements.
  tensor() noexcept = default;

  /// `tensor<float, 2> w({128, 784})`. Ends in `result::value()` where the size overflows or memory
  /// is short: use `create` where the shape comes from outside.
  explicit tensor(const extents_type& shape) : tensor(create(shape).value()) {}
  template <std::size_t R = Rank, std::enable_if_t<(R > 0), int> = 0>
  explicit tensor(const index_t (&shape)[R]) : tensor(extents_type(shape)) {}

  /// @return `overflow` where the number of bytes does not fit, `out_of_memory`
  static result<tensor> create(const extents_type& shape) noexcept {
    const auto size = checked_size(shape, static_cast<index_t>(sizeof(T)));
    if (!size) return size.error();
    tensor t;
    if (*size > 0) {
      const std::size_t bytes = static_cast<std::size_t>(*size) * sizeof(T);
      void* memory = ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
      if (memory == nullptr) {
        return {status_code::out_of_memory, "the host has not enough memory for this tensor",
                "shape", position_kind::byte, static_cast<index_t>(bytes)};
      }
      t.data_ = static_cast<T*>(std::memset(memory, 0, bytes));
    }
    t.shape_ = shape;
    return t;
  }

  /// A row-major copy of the elements of any view.
  template <class U, class E, class L>
  static PARE_ALWAYS_INLINE result<tensor> copy_of(const tensor_view<U, E, L>& source) noexcept {
    auto t = create(extents_type(source.extents()));
    if (t) {
      for_each_element(source, [data = t->data()](const U& element, index_t i) {
        data[i] = static_cast<T>(element);
      });
    }
    return t;
  }

  tensor(tensor&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        shape_(std::exchange(other.shape_, extents_type())) {}
  tensor(const tensor& other)
      : tensor(Rank == 0 && other.data_ == nullptr ? tensor() : copy_of(other.view()).value()) {}
  tensor& operator=(tensor&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(shape_, other.shape_);
    return *this;
  }
  tensor& operator=(const tensor& other) {
    if (this != &other) *this = tensor(other);
    return *this;
  }
  ~tensor() {
    if (data_ != nullptr) ::operator delete(static_cast<void*>(data_), std::align_val_t(alignment));
  }

  static constexpr std::size_t rank() noexcept { return Rank; }
  const extents_type& extents() const noexcept { return shape_; }
  index_t extent(std::size_t r) const noexcept { return shape_.extent(r); }
  index_t size() const noexcept {
    return Rank > 0 || data_ != nullptr ? static_cast<index_t>(view().size()) : 0;
  }
  bool empty() const noexcept { return size() == 0; }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size(); }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size(); }

  view_type view() noexcept { return view_type(data_, shape_); }
  const_view_type view() const noexcept { return const_view_type(data_, shape_); }
  operator view_type() noexcept { return view(); }
  operator const_view_type() const noexcept { return view(); }

  template <class... I>
  PARE_ALWAYS_INLINE T& operator()(I... i) noexcept {
    return view()(i...);
  }
  template <class... I>
  PARE_ALWAYS_INLINE const T& operator()(I... i) const noexcept {
    return view()(i...);
  }

 private:
  T* data_ = nullptr;
  extents_type shape_{};
};

}  // namespace pare

#endif  // PARE_CORE_TENSOR_HPP
