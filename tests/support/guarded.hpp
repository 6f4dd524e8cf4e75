// Memory whose end is the end of what may be read: a byte more ends the program, whoever reads it.
// Sanitizers do not see loads in inline assembly.
#ifndef PARE_TESTS_SUPPORT_GUARDED_HPP
#define PARE_TESTS_SUPPORT_GUARDED_HPP

#include <cstddef>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#define PARE_TESTS_HAVE_MMAP 1
#else
#define PARE_TESTS_HAVE_MMAP 0
#endif

namespace pare_test {

/// `size` bytes before a page that nobody may read; elsewhere than on POSIX, plain ones.
class guarded_bytes {
 public:
#if PARE_TESTS_HAVE_MMAP
  explicit guarded_bytes(std::size_t size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t readable = (size + page - 1) / page * page;
    mapped_ = readable + page;
    void* all = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return;
    base_ = static_cast<std::byte*>(all);
    if (mprotect(base_ + readable, page, PROT_NONE) == 0) data_ = base_ + readable - size;
  }
  ~guarded_bytes() {
    if (base_ != nullptr) munmap(base_, mapped_);
  }
#else
  explicit guarded_bytes(std::size_t size) : plain_(size), data_(plain_.data()) {}
#endif
  guarded_bytes(const guarded_bytes&) = delete;
  guarded_bytes& operator=(const guarded_bytes&) = delete;

  /// Null where there is no memory.
  std::byte* data() const { return data_; }

 private:
#if PARE_TESTS_HAVE_MMAP
  std::byte* base_ = nullptr;
  std::size_t mapped_ = 0;
#else
  std::vector<std::byte> plain_;
#endif
  std::byte* data_ = nullptr;
};

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_GUARDED_HPP
