// A value, or the error that kept it from being made: `std::expected<T, pare::error>` in its
// vocabulary, for C++17.
#ifndef PARE_CORE_RESULT_HPP
#define PARE_CORE_RESULT_HPP

#include <new>
#include <type_traits>
#include <utility>

#include <pare/core/assert.hpp>
#include <pare/core/status.hpp>

#if PARE_EXCEPTIONS
#include <exception>
#endif

namespace pare {

#if PARE_EXCEPTIONS
/// Thrown by `result::value()`, and by nothing else in the library.
class bad_result_access : public std::exception {
 public:
  explicit bad_result_access(const pare::error& e) noexcept : error_(e) {}
  const char* what() const noexcept override { return error_.message; }
  const pare::error& error() const noexcept { return error_; }

 private:
  pare::error error_;
};
#endif

namespace detail {

[[noreturn]] PARE_ALWAYS_INLINE void value_of_an_error(const pare::error& e) {
#if PARE_EXCEPTIONS
  throw bad_result_access(e);
#else
  PARE_ASSERT_HANDLER("result::value() of an error", e.message, e.subject, 0);
  for (;;) {  // a handler that returns finds nothing to return to
  }
#endif
}

template <class T, bool = std::is_trivially_copyable_v<T>>
class result_storage {
 public:
  constexpr PARE_ALWAYS_INLINE explicit result_storage(const pare::error& e) noexcept : error_(e) {}
  template <class... A>
  constexpr PARE_ALWAYS_INLINE explicit result_storage(std::in_place_t, A&&... a)
      : value_(std::forward<A>(a)...), has_value_(true) {}

 protected:
  // Trivial types need no lifetime management; both members exist, so that everything stays
  // constexpr in C++17.
  T value_{};
  pare::error error_{status_code::ok, position_kind::none, "", "", 0};
  bool has_value_ = false;
};

template <class T>
class result_storage<T, false> {
 public:
  explicit result_storage(const pare::error& e) noexcept : error_(e) {}
  template <class... A>
  explicit result_storage(std::in_place_t, A&&... a) : has_value_(true) {
    ::new (static_cast<void*>(&value_)) T(std::forward<A>(a)...);
  }
  result_storage(result_storage&& other) noexcept
      : error_(other.error_), has_value_(other.has_value_) {
    if (has_value_) ::new (static_cast<void*>(&value_)) T(std::move(other.value_));
  }
  result_storage(const result_storage& other) : error_(other.error_), has_value_(other.has_value_) {
    if (has_value_) ::new (static_cast<void*>(&value_)) T(other.value_);
  }
  result_storage& operator=(result_storage&& other) noexcept {
    if (this != &other) {
      this->~result_storage();
      ::new (static_cast<void*>(this)) result_storage(std::move(other));
    }
    return *this;
  }
  result_storage& operator=(const result_storage& other) { return *this = result_storage(other); }
  ~result_storage() {
    if (has_value_) value_.~T();
  }

 protected:
  union {
    T value_;
  };
  pare::error error_{status_code::ok, position_kind::none, "", "", 0};
  bool has_value_ = false;
};

}  // namespace detail

/// `auto w8 = pare::quantize(w, options);` then `if (!w8) use(w8.error());` or `w8.value()`, which
/// throws `bad_result_access` (or, without exceptions, ends in the handler of broken contracts).
///
/// @tparam T  the value; movable
template <class T>
class [[nodiscard]] result : private detail::result_storage<T> {
  using storage = detail::result_storage<T>;

 public:
  using value_type = T;
  using error_type = pare::error;

  constexpr PARE_ALWAYS_INLINE result(T value) : storage(std::in_place, std::move(value)) {}
  constexpr PARE_ALWAYS_INLINE result(const pare::error& e) noexcept : storage(e) {
    PARE_ASSERT(e.code != status_code::ok, "a result without a value needs an error");
  }
  constexpr PARE_ALWAYS_INLINE result(status_code code, const char* message,
                                      const char* subject = "",
                                      position_kind kind = position_kind::none,
                                      index_t position = 0) noexcept
      : storage(pare::error{code, kind, detail::error_text(message), detail::error_text(subject),
                            position}) {}

  constexpr PARE_ALWAYS_INLINE bool has_value() const noexcept { return this->has_value_; }
  constexpr PARE_ALWAYS_INLINE explicit operator bool() const noexcept { return this->has_value_; }

  constexpr PARE_ALWAYS_INLINE T& value() & { return check(), this->value_; }
  constexpr PARE_ALWAYS_INLINE const T& value() const& { return check(), this->value_; }
  constexpr PARE_ALWAYS_INLINE T&& value() && { return check(), std::move(this->value_); }

  constexpr PARE_ALWAYS_INLINE T& operator*() & noexcept { return assert_value(), this->value_; }
  constexpr PARE_ALWAYS_INLINE const T& operator*() const& noexcept {
    return assert_value(), this->value_;
  }
  constexpr PARE_ALWAYS_INLINE T&& operator*() && noexcept {
    return assert_value(), std::move(this->value_);
  }
  constexpr PARE_ALWAYS_INLINE T* operator->() noexcept { return assert_value(), &this->value_; }
  constexpr PARE_ALWAYS_INLINE const T* operator->() const noexcept {
    return assert_value(), &this->value_;
  }

  template <class U>
  constexpr T value_or(U&& otherwise) const& {
    return has_value() ? this->value_ : static_cast<T>(std::forward<U>(otherwise));
  }
  template <class U>
  constexpr T value_or(U&& otherwise) && {
    return has_value() ? std::move(this->value_) : static_cast<T>(std::forward<U>(otherwise));
  }

  /// The error; its code is `ok` where there is a value.
  constexpr const pare::error& error() const noexcept { return this->error_; }
  constexpr pare::status status() const noexcept { return this->error_; }

  /// f(value), itself a result, or this error.
  template <class F>
  constexpr auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return this->error_;
    return std::forward<F>(f)(std::move(this->value_));
  }

  /// result(f(value)), or this error.
  template <class F>
  constexpr auto transform(F&& f) && -> result<std::invoke_result_t<F, T&&>> {
    if (!has_value()) return this->error_;
    return std::forward<F>(f)(std::move(this->value_));
  }

  friend constexpr bool operator==(const result& r, status_code c) noexcept {
    return r.error().code == c;
  }
  friend constexpr bool operator!=(const result& r, status_code c) noexcept {
    return r.error().code != c;
  }

 private:
  constexpr PARE_ALWAYS_INLINE void check() const {
    if (PARE_UNLIKELY(!this->has_value_)) detail::value_of_an_error(this->error_);
  }
  constexpr PARE_ALWAYS_INLINE void assert_value() const noexcept {
    PARE_ASSERT(this->has_value_, "the result holds an error, not a value");
  }
};

}  // namespace pare

#endif  // PARE_CORE_RESULT_HPP
