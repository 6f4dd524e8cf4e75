// Scratch memory that the caller owns: a span of bytes, handed out from the front.
#ifndef PARE_CORE_WORKSPACE_HPP
#define PARE_CORE_WORKSPACE_HPP

#include <pare/core/checked.hpp>
#include <pare/core/status.hpp>

namespace pare {

/// The alignment of what a workspace hands out, and of the memory it should be given: one cache
/// line.
inline constexpr index_t workspace_alignment = 64;

/// Bytes that a call may use while it runs, and whose content it does not keep.
///
/// A call that needs scratch has a `..._workspace_size` beside it, which is exact for memory
/// aligned to `workspace_alignment`.
class workspace {
 public:
  constexpr workspace() noexcept = default;
  constexpr PARE_ALWAYS_INLINE workspace(std::byte* data, index_t size) noexcept
      : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr PARE_ALWAYS_INLINE workspace(std::byte (&data)[N]) noexcept
      : data_(data), size_(static_cast<index_t>(N)) {}

  constexpr PARE_ALWAYS_INLINE std::byte* data() const noexcept { return data_; }
  constexpr PARE_ALWAYS_INLINE index_t size() const noexcept { return size_; }

  /// The bytes that `take<T>(count)` uses up, for size queries. Positive; the caller has checked
  /// the range.
  template <class T>
  static constexpr PARE_ALWAYS_INLINE index_t bytes_for(index_t count) noexcept {
    return detail::round_up(count * static_cast<index_t>(sizeof(T)), workspace_alignment);
  }

  /// Room for `count` elements, aligned to a cache line where the memory is; null where there is
  /// not enough. The elements are not initialised.
  template <class T>
  PARE_ALWAYS_INLINE T* take(index_t count) noexcept {
    index_t bytes = 0;
    if (!detail::checked_multiply(count, static_cast<index_t>(sizeof(T)), bytes)) return nullptr;
    const index_t misaligned = static_cast<index_t>(
        reinterpret_cast<std::uintptr_t>(data_) % static_cast<std::uintptr_t>(workspace_alignment));
    const index_t skip = misaligned == 0 ? 0 : workspace_alignment - misaligned;
    if (skip > size_ || bytes > size_ - skip) return nullptr;
    T* taken = reinterpret_cast<T*>(data_ + skip);
    const index_t used = detail::min(skip + detail::round_up(bytes, workspace_alignment), size_);
    data_ += used;
    size_ -= used;
    return taken;
  }

 private:
  std::byte* data_ = nullptr;
  index_t size_ = 0;
};

}  // namespace pare

#endif  // PARE_CORE_WORKSPACE_HPP
