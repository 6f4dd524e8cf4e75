// Files that close themselves, and files that are either written whole or left as they were.
#ifndef PARE_IO_DETAIL_FILE_HPP
#define PARE_IO_DETAIL_FILE_HPP

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <pare/core/status.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

enum class file_use : std::uint8_t { read, create };

/// An open file that closes itself.
class file {
 public:
  file() noexcept = default;
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() {
    if (handle_ != nullptr) std::fclose(handle_);
  }

  /// `create` fails where the file exists.
  bool open(const std::filesystem::path& path, file_use use) noexcept {
#ifdef _WIN32
    handle_ = ::_wfopen(path.c_str(), use == file_use::read ? L"rb" : L"wbx");
#else
    handle_ = std::fopen(path.c_str(), use == file_use::read ? "rb" : "wbx");
#endif
    return handle_ != nullptr;
  }
  bool read(void* to, std::size_t size) noexcept {
    return size == 0 || std::fread(to, 1, size, handle_) == size;
  }
  bool write(const void* from, std::size_t size) noexcept {
    return size == 0 || std::fwrite(from, 1, size, handle_) == size;
  }
  /// Whether all that was written has reached the system.
  bool close() noexcept { return std::fclose(std::exchange(handle_, nullptr)) == 0; }

 private:
  std::FILE* handle_ = nullptr;
};

/// work(), with the exceptions of the standard library (there is no memory for a path or a vector)
/// as an error.
///
/// @param subject  what was to be read or written
template <class R, class F>
R without_exceptions([[maybe_unused]] const char* subject, F&& work) noexcept {
#if PARE_EXCEPTIONS
  try {
    return work();
  } catch (...) {
    return {status_code::out_of_memory, "the host has not enough memory for this", subject};
  }
#else
  return work();
#endif
}

/// Writes a file beside `path` and puts it in the place of `path` once it is complete.
///
/// @param write  write(file&) -> bool
template <class Write>
status replace_file(const std::filesystem::path& path, Write&& write) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::path target = path;
  const fs::file_status before = fs::status(path, failure);
  if (fs::exists(before)) {
    if (!fs::is_regular_file(before)) return {status_code::io, "the path is not a file", "path"};
    target = fs::canonical(path, failure);  // a link stays a link
    if (failure) return {status_code::io, "the path cannot be resolved", "path"};
  }
  for (int attempt = 0; attempt < 100; ++attempt) {
    fs::path temporary = target;
    temporary += ".part" + std::to_string(attempt);
    file out;
    if (!out.open(temporary, file_use::create)) {
      if (fs::exists(temporary, failure)) continue;  // someone else's: try the next name
      break;
    }
    bool complete = write(out);
    complete = out.close() && complete;
    if (complete && fs::exists(before)) fs::permissions(temporary, before.permissions(), failure);
    if (complete) fs::rename(temporary, target, failure);
    if (complete && !failure) return {};
    fs::remove(temporary, failure);
    return {status_code::io, "the file cannot be written", "path"};
  }
  return {status_code::io, "the file cannot be created", "path"};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_IO_DETAIL_FILE_HPP
