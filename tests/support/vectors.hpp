// Reference values written by the scripts in tools/: archives of numpy.savez.
//
//     const pare_test::archive a = pare_test::load("prune/l1_unstructured.npz");
//     const pare::tensor<float, 2> w = a.get<float, 2>("w0");
//     const double amount = a.scalar<double>("amount0");
//
// What is missing or has another type fails the test (ends the program where exceptions are off)
// and says which array of which file it is.
#ifndef PARE_TESTS_SUPPORT_VECTORS_HPP
#define PARE_TESTS_SUPPORT_VECTORS_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <pare/io/npy.hpp>

#include <doctest/doctest.h>

#ifndef PARE_TEST_VECTORS_DIR
#error "the build defines PARE_TEST_VECTORS_DIR, the folder of the reference values"
#endif

namespace pare_test {

/// Ends the test case with a message.
[[noreturn]] inline void fail(const std::string& message) {
#if PARE_EXCEPTIONS
  FAIL(message);
#endif
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

/// A file of tests/vectors as bytes.
inline std::vector<unsigned char> read_vector_file(const std::string& name) {
  const std::string path = std::string(PARE_TEST_VECTORS_DIR) + "/" + name;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) fail("cannot open " + path + " (its script in tools/ writes it)");
  std::vector<unsigned char> bytes;
  unsigned char block[4096];
  for (std::size_t n; (n = std::fread(block, 1, sizeof(block), file)) > 0;) {
    bytes.insert(bytes.end(), block, block + n);
  }
  std::fclose(file);
  return bytes;
}

/// The arrays of one .npz file: a zip archive whose entries are .npy files, not compressed.
class archive {
 public:
  /// @param name  for messages
  archive(std::string name, std::vector<unsigned char> bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)) {
    read_directory();
  }

  /// In the order in which they were given to numpy.savez.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const entry& e : entries_) all.push_back(e.name);
    return all;
  }

  bool has(const std::string& array) const { return find(array) != nullptr; }

  template <class T, std::size_t Rank>
  pare::tensor<T, Rank> get(const std::string& array) const {
    const entry& e = at(array);
    auto t = pare::read_npy<T, Rank>(bytes_.data() + e.offset, e.size);
    if (!t) fail(name_ + ": " + array + ": " + t.error().message);
    return *std::move(t);
  }

  /// An array of one element, of any shape, converted from whatever number it is.
  template <class T>
  T scalar(const std::string& array) const {
    const entry& e = at(array);
    const auto header = pare::parse_npy_header(bytes_.data() + e.offset, e.size);
    if (!header) fail(name_ + ": " + array + ": " + header.error().message);
    switch (header->type) {
      case pare::npy_type::boolean: return convert<T, bool>(array, *header);
      case pare::npy_type::int8: return convert<T, std::int8_t>(array, *header);
      case pare::npy_type::int16: return convert<T, std::int16_t>(array, *header);
      case pare::npy_type::int32: return convert<T, std::int32_t>(array, *header);
      case pare::npy_type::int64: return convert<T, std::int64_t>(array, *header);
      case pare::npy_type::uint8: return convert<T, std::uint8_t>(array, *header);
      case pare::npy_type::uint16: return convert<T, std::uint16_t>(array, *header);
      case pare::npy_type::uint32: return convert<T, std::uint32_t>(array, *header);
      case pare::npy_type::uint64: return convert<T, std::uint64_t>(array, *header);
      case pare::npy_type::float32: return convert<T, float>(array, *header);
      case pare::npy_type::float64: return convert<T, double>(array, *header);
      case pare::npy_type::float16:
      case pare::npy_type::bfloat16: break;
    }
    fail(name_ + ": " + array + " is no number of C++");
  }

  /// The .npy file inside the archive, as it is.
  std::vector<unsigned char> file(const std::string& array) const {
    const entry& e = at(array);
    const unsigned char* first = bytes_.data() + e.offset;
    return {first, first + e.size};
  }

 private:
  struct entry {
    std::string name;
    std::size_t offset;
    pare::index_t size;
  };

  const entry* find(const std::string& array) const {
    for (const entry& e : entries_) {
      if (e.name == array) return &e;
    }
    return nullptr;
  }
  const entry& at(const std::string& array) const {
    const entry* e = find(array);
    if (e == nullptr) fail(name_ + " has no array " + array);
    return *e;
  }

  template <class T, class Stored>
  T convert(const std::string& array, const pare::npy_header& header) const {
    if (header.data_bytes != static_cast<pare::index_t>(sizeof(Stored))) {
      fail(name_ + ": " + array + " is not a single number");
    }
    const entry& e = at(array);
    // Any shape of one element has the same bytes.
    const unsigned char* first = bytes_.data() + e.offset + header.data_offset;
    const auto value =
        pare::detail::load_element<Stored>(reinterpret_cast<const std::byte*>(first), header.order);
    return static_cast<T>(value);
  }

  std::size_t number(std::size_t offset, std::size_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) fail(name_ + " is truncated");
    std::size_t n = 0;
    for (std::size_t i = count; i-- > 0;) n = (n << 8) | bytes_[offset + i];
    return n;
  }

  // The central directory at the end of the file says where the entries are (PKWARE APPNOTE 4.3);
  // the local headers of numpy.savez do not repeat the sizes reliably.
  void read_directory() {
    constexpr std::size_t end_size = 22;
    if (bytes_.size() < end_size) fail(name_ + " is not a zip archive");
    std::size_t end = bytes_.size() - end_size;
    while (end > 0 && number(end, 4) != 0x06054b50) --end;
    if (number(end, 4) != 0x06054b50) fail(name_ + " is not a zip archive");
    const std::size_t count = number(end + 10, 2);
    std::size_t at = number(end + 16, 4);
    for (std::size_t i = 0; i < count; ++i) {
      if (number(at, 4) != 0x02014b50) fail(name_ + " has a broken directory");
      const std::size_t method = number(at + 10, 2), size = number(at + 24, 4);
      const std::size_t name_size = number(at + 28, 2), extra_size = number(at + 30, 2);
      const std::size_t comment_size = number(at + 32, 2), local = number(at + 42, 4);
      if (method != 0) fail(name_ + " is compressed: write it with numpy.savez");
      const std::size_t data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
      if (data > bytes_.size() || size > bytes_.size() - data) fail(name_ + " is truncated");
      number(at + 46, 0);
      if (name_size > bytes_.size() - at - 46) fail(name_ + " is truncated");
      std::string name(reinterpret_cast<const char*>(bytes_.data()) + at + 46, name_size);
      if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0) {
        name.resize(name.size() - 4);
      }
      entries_.push_back({std::move(name), data, static_cast<pare::index_t>(size)});
      at += 46 + name_size + extra_size + comment_size;
    }
  }

  std::string name_;
  std::vector<unsigned char> bytes_;
  std::vector<entry> entries_;
};

/// An archive of tests/vectors: `load("prune/l1_unstructured.npz")`.
inline archive load(const std::string& name) { return {name, read_vector_file(name)}; }

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_VECTORS_HPP
