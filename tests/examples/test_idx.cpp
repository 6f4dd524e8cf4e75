// The demo's reader of IDX files: what it takes, and what it says of files that are cut off,
// damaged or lie about their size.
#include "demo/dataset.hpp"
#include "demo/idx.hpp"

#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/check.hpp"

#include <doctest/doctest.h>

namespace {

using bytes = std::vector<std::uint8_t>;

/// A folder that is gone at the end of the test.
class folder {
 public:
  folder() {
    for (int i = 0;; ++i) {
      path_ = std::filesystem::temp_directory_path() / ("pare_test_idx_" + std::to_string(i));
      std::error_code failure;
      if (std::filesystem::create_directory(path_, failure)) return;
      REQUIRE_MESSAGE(i < 1000, "no folder for temporary files");
    }
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code failure;
    std::filesystem::remove_all(path_, failure);
  }

  std::string name() const { return path_.string(); }
  std::string operator/(const char* file) const { return (path_ / file).string(); }

 private:
  std::filesystem::path path_;
};

void write(const std::string& path, const bytes& content) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  for (const std::uint8_t byte : content) std::fputc(byte, file);
  CHECK(std::fclose(file) == 0);
}

void write_gz(const std::string& path, const bytes& content) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  CHECK(gzwrite(file, content.data(), static_cast<unsigned>(content.size())) ==
        static_cast<int>(content.size()));
  gzclose(file);
}

bytes read_back(const std::string& path) {
  bytes content(std::filesystem::file_size(path));
  std::FILE* file = std::fopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  CHECK(std::fread(content.data(), 1, content.size(), file) == content.size());
  std::fclose(file);
  return content;
}

/// A file of these dimensions, with elements 0, 1, 2, ... below `modulus`.
bytes idx(std::initializer_list<std::uint32_t> dimensions, unsigned modulus = 251) {
  bytes file = {0, 0, 8, static_cast<std::uint8_t>(dimensions.size())};
  std::size_t count = 1;
  for (const std::uint32_t d : dimensions) {
    for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<std::uint8_t>(d >> shift));
    count *= d;
  }
  for (std::size_t i = 0; i < count; ++i) file.push_back(static_cast<std::uint8_t>(i % modulus));
  return file;
}

template <std::size_t Rank>
void check_fails(const bytes& file, pare::status_code code, pare::index_t position) {
  const folder f;
  write(f / "plain", file);
  write_gz(f / "packed.gz", file);
  for (const char* name : {"plain", "packed.gz"}) {
    CAPTURE(name);
    const auto read = demo::read_idx<Rank>(f / name);
    REQUIRE(!read.has_value());
    CHECK(read == code);
    CHECK(read.error().kind == pare::position_kind::byte);
    CHECK(read.error().position == position);
    CHECK(std::string(read.error().message) != "");
  }
}

constexpr const char* files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/// A small set: 20 pictures of 2 x 3 to train on, 4 to test.
void write_dataset(const folder& f) {
  write(f / files[0], idx({20, 2, 3}));
  write(f / files[1], idx({20}, 10));
  write(f / files[2], idx({4, 2, 3}));
  write(f / files[3], idx({4}, 10));
}

void check_dataset_fails(const folder& f, pare::status_code code, const char* file,
                         pare::index_t position) {
  const auto data = demo::load_dataset(f.name());
  REQUIRE(!data.has_value());
  CHECK(data == code);
  CHECK(std::string(data.error().subject) == file);
  CHECK(data.error().position == position);
}

}  // namespace

TEST_CASE("read_idx reads plain and gzipped files alike") {
  const folder f;
  write(f / "plain", idx({3, 2, 5}));
  write_gz(f / "packed.gz", idx({3, 2, 5}));
  for (const char* name : {"plain", "packed.gz"}) {
    CAPTURE(name);
    const auto read = demo::read_idx<3>(f / name);
    REQUIRE(read.has_value());
    CHECK(read->extent(0) == 3);
    CHECK(read->extent(1) == 2);
    CHECK(read->extent(2) == 5);
    CHECK((*read)(0, 0, 0) == 0);
    CHECK((*read)(1, 1, 4) == 19);
    CHECK((*read)(2, 1, 4) == 29);
  }
}

TEST_CASE("read_idx reads files longer than a chunk") {
  const folder f;
  const bytes file = idx({3000000});
  write_gz(f / "labels.gz", file);
  const auto read = demo::read_idx<1>(f / "labels.gz");
  REQUIRE(read.has_value());
  CHECK(bytes(read->begin(), read->end()) == bytes(file.begin() + 8, file.end()));
}

TEST_CASE("read_idx reads a file without elements") {
  const folder f;
  write(f / "none", idx({0, 28, 28}));
  const auto read = demo::read_idx<3>(f / "none");
  REQUIRE(read.has_value());
  CHECK(read->empty());
}

TEST_CASE("read_idx says where a file ends too early") {
  const bytes whole = idx({3, 2, 5});
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{3}, std::size_t{15}, std::size_t{16}, whole.size() - 1}) {
    CAPTURE(length);
    check_fails<3>(bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)),
                   pare::status_code::truncated, static_cast<pare::index_t>(length));
  }
  check_fails<1>({}, pare::status_code::truncated, 0);
}

TEST_CASE("read_idx finds a gzip stream that is cut off, its checksum included") {
  const folder f;
  write_gz(f / "whole.gz", idx({5000}));
  const bytes whole = read_back(f / "whole.gz");
  for (const std::size_t missing : {std::size_t{1}, std::size_t{8}, whole.size() / 2}) {
    CAPTURE(missing);
    write(f / "cut.gz", bytes(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(missing)));
    CHECK(demo::read_idx<1>(f / "cut.gz") == pare::status_code::truncated);
  }
}

TEST_CASE("read_idx finds a gzip stream that is damaged") {
  const folder f;
  write_gz(f / "whole.gz", idx({5000}));
  bytes damaged = read_back(f / "whole.gz");
  damaged[damaged.size() - 6] ^= 1;  // of the checksum
  write(f / "damaged.gz", damaged);
  CHECK(demo::read_idx<1>(f / "damaged.gz") == pare::status_code::bad_format);
}

TEST_CASE("read_idx does not take a file for what it is not") {
  bytes file = idx({3, 2, 5});
  SUBCASE("the first byte") {
    file[0] = 'P';
    check_fails<3>(file, pare::status_code::bad_format, 0);
  }
  SUBCASE("another element type") {
    file[2] = 0x0d;  // float
    check_fails<3>(file, pare::status_code::bad_format, 2);
  }
  SUBCASE("labels where pictures should be") {
    check_fails<3>(idx({100}), pare::status_code::bad_format, 3);
  }
  SUBCASE("pictures where labels should be") {
    check_fails<1>(file, pare::status_code::bad_format, 3);
  }
}

TEST_CASE("read_idx does not believe a header that promises too much") {
  bytes file = idx({3, 2, 5});
  SUBCASE("a little") {
    file[7] = 4;
    check_fails<3>(file, pare::status_code::truncated, static_cast<pare::index_t>(file.size()));
  }
  SUBCASE("a gigabyte") {
    file[4] = 0x06;  // 100663299 * 2 * 5
    check_fails<3>(file, pare::status_code::truncated, static_cast<pare::index_t>(file.size()));
  }
  SUBCASE("more than fits any index") {
    for (int i = 4; i < 16; ++i) file[static_cast<std::size_t>(i)] = 0xff;
    check_fails<3>(file, pare::status_code::out_of_range, 4);
  }
}

TEST_CASE("read_idx does not leave bytes over") {
  bytes file = idx({3, 2, 5});
  const auto size = static_cast<pare::index_t>(file.size());
  file.push_back(0);
  check_fails<3>(file, pare::status_code::bad_format, size);
}

TEST_CASE("read_idx says that a file cannot be opened or read") {
  const folder f;
  CHECK(demo::read_idx<3>(f / "no such file") == pare::status_code::io);
  CHECK(demo::read_idx<3>(f.name()) == pare::status_code::io);  // a folder
}

TEST_CASE("load_dataset holds out the end of the training files") {
  const folder f;
  write_dataset(f);
  const auto data = demo::load_dataset(f.name());
  REQUIRE(data.has_value());
  CHECK(data->train.count() == 18);
  CHECK(data->validation.count() == 2);
  CHECK(data->test.count() == 4);
  CHECK(data->train.labels(17) == 7);
  CHECK(data->validation.labels(0) == 8);
  CHECK(data->validation.images(0, 0, 0) == 18 * 6);
  CHECK(data->pixel_scale == doctest::Approx(1.0 / 107));  // 18 * 6 - 1 is the brightest
}

TEST_CASE("load_dataset takes .gz where there is no plain file") {
  const folder f;
  write_dataset(f);
  std::filesystem::remove(f / files[2]);
  write_gz(f / "t10k-images-idx3-ubyte.gz", idx({4, 2, 3}));
  CHECK(demo::load_dataset(f.name()).has_value());
}

TEST_CASE("load_dataset names the file that is wrong") {
  const folder f;
  write_dataset(f);
  SUBCASE("missing") {
    std::filesystem::remove(f / files[1]);
    check_dataset_fails(f, pare::status_code::io, files[1], 0);
  }
  SUBCASE("cut off") {
    bytes images = idx({4, 2, 3});
    images.pop_back();
    write(f / files[2], images);
    check_dataset_fails(f, pare::status_code::truncated, files[2], 16 + 23);
  }
  SUBCASE("fewer labels than pictures") {
    write(f / files[1], idx({19}, 10));
    check_dataset_fails(f, pare::status_code::shape_mismatch, files[1], 4);
  }
  SUBCASE("more labels than pictures") {
    write(f / files[3], idx({5}, 10));
    check_dataset_fails(f, pare::status_code::shape_mismatch, files[3], 4);
  }
  SUBCASE("a label that is no class") {
    bytes labels = idx({20}, 10);
    labels[8 + 13] = 10;
    write(f / files[1], labels);
    check_dataset_fails(f, pare::status_code::out_of_range, files[1], 8 + 13);
  }
  SUBCASE("test pictures of another size") {
    write(f / files[2], idx({4, 2, 2}));
    check_dataset_fails(f, pare::status_code::shape_mismatch, files[2], 12);
  }
  SUBCASE("no pictures") {
    write(f / files[2], idx({0, 2, 3}));
    write(f / files[3], idx({0}));
    check_dataset_fails(f, pare::status_code::empty, files[2], 4);
  }
  SUBCASE("pictures without pixels") {
    write(f / files[0], idx({20, 0, 3}));
    check_dataset_fails(f, pare::status_code::empty, files[0], 4);
  }
}
