// .npy files against those that NumPy writes (vectors: tools/make_core_vectors.py).
#include <pare/core/subview.hpp>
#include <pare/io/npy.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/stat.h>
#include <csignal>
#endif

#include <doctest/doctest.h>

namespace {

using pare::index_t;
using pare_test::equal;
using pare_test::equal_bits;
using bytes = std::vector<unsigned char>;

const pare_test::archive& files() {
  static const pare_test::archive all = pare_test::load("io/npy.npz");
  return all;
}

/// A file written by NumPy.
bytes numpy_file(const std::string& name) {
  const auto t = files().get<std::uint8_t, 1>(name);
  return bytes(t.begin(), t.end());
}

template <class T, std::size_t Rank>
auto read(const bytes& file) {
  return pare::read_npy<T, Rank>(file.data(), static_cast<index_t>(file.size()));
}

auto parse(const bytes& file) {
  return pare::parse_npy_header(file.data(), static_cast<index_t>(file.size()));
}

bytes written(const pare::result<std::vector<std::byte>>& file) {
  if (!file) pare_test::fail(file.error().message);
  bytes out(file->size());
  if (!file->empty()) std::memcpy(out.data(), file->data(), file->size());
  return out;
}

/// A version 1.0 file around a dictionary and the bytes of its elements.
bytes file_with(const std::string& dictionary, std::size_t data_bytes) {
  bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  file.push_back(static_cast<unsigned char>(dictionary.size() & 0xff));
  file.push_back(static_cast<unsigned char>(dictionary.size() >> 8));
  file.insert(file.end(), dictionary.begin(), dictionary.end());
  file.insert(file.end(), data_bytes, 0);
  return file;
}

/// A folder that is gone at the end of the test.
class scratch_folder {
 public:
  scratch_folder() {
    for (int i = 0;; ++i) {
      path_ = std::filesystem::temp_directory_path() / ("pare_test_npy_" + std::to_string(i));
      std::error_code failure;
      if (std::filesystem::create_directory(path_, failure)) return;
      if (i == 1000) pare_test::fail("no folder for temporary files");
    }
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code failure;
    std::filesystem::remove_all(path_, failure);
  }
  std::string operator/(const char* name) const { return (path_ / name).string(); }
  std::size_t entries() const {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) n += !entry.path().empty();
    return n;
  }

 private:
  std::filesystem::path path_;
};

void put(const std::string& path, const bytes& content) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(content.data()),
            static_cast<std::streamsize>(content.size()));
}

bytes content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return bytes(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

/// All files of one element type, in both orders of elements and of bytes, from memory and from
/// disk; and what is written has the very bytes that NumPy writes.
template <class T, class Value>
PARE_NOINLINE void check_type(const char* type) {
  const std::string name = type;
  CAPTURE(name);
  const auto values = read<Value, 2>(numpy_file(name + ".values"));
  REQUIRE(values);
  const scratch_folder folder;
  for (const char* order : {".little.c", ".little.fortran", ".big.c", ".big.fortran"}) {
    CAPTURE(order);
    if (!files().has(name + order)) continue;
    const bytes file = numpy_file(name + order);
    put(folder / "a.npy", file);
    for (const auto& array : {read<T, 2>(file), pare::load_npy<T, 2>(folder / "a.npy")}) {
      REQUIRE(array.status() == pare::status::ok);
      CHECK(equal(*array, *values));
    }
  }
  if (pare::detail::native_byte_order != pare::byte_order::little) return;
  const auto array = read<T, 2>(numpy_file(name + ".little.c"));
  REQUIRE(array);
  CHECK(written(pare::write_npy(array->view())) == numpy_file(name + ".little.c"));
  const auto columns = pare_test::column_major_copy(*array);
  CHECK(written(pare::write_npy(columns.view())) == numpy_file(name + ".little.fortran"));
}

}  // namespace

TEST_CASE("every element type is read and written as NumPy does, in both orders") {
  check_type<bool, double>("b1");
  check_type<std::int8_t, double>("i1");
  check_type<std::int16_t, double>("i2");
  check_type<std::int32_t, double>("i4");
  check_type<std::int64_t, std::int64_t>("i8");
  check_type<std::uint8_t, double>("u1");
  check_type<std::uint16_t, double>("u2");
  check_type<std::uint32_t, double>("u4");
  check_type<std::uint64_t, std::uint64_t>("u8");
  check_type<pare::half, double>("f2");
  check_type<float, double>("f4");
  check_type<double, double>("f8");
}

TEST_CASE("files are read into memory of any layout, and gathered from it") {
  const auto values = read<double, 2>(numpy_file("f4.values"));
  for (const char* order : {"f4.little.c", "f4.little.fortran", "f4.big.c", "f4.big.fortran"}) {
    CAPTURE(order);
    const bytes file = numpy_file(order);
    const index_t size = static_cast<index_t>(file.size());
    pare_test::strided<float, 2> apart({3, 4}, {9, 2});
    CHECK(pare::read_npy(file.data(), size, apart.view()) == pare::status::ok);
    CHECK(equal(apart.view(), *values));
    CHECK(apart.gaps_untouched());
    pare_test::column_major<float, 2> columns{pare::dextents<index_t, 2>(3, 4)};
    CHECK(pare::read_npy(file.data(), size, columns.view()) == pare::status::ok);
    CHECK(equal(columns.view(), *values));
    if (pare::detail::native_byte_order == pare::byte_order::little) {
      CHECK(written(pare::write_npy(apart.view())) == numpy_file("f4.little.c"));
      CHECK(written(pare::write_npy(pare::transposed(pare::transposed(columns.view())))) ==
            numpy_file("f4.little.c"));
    }
  }
}

TEST_CASE("the other integer types of C++ of the same size are the same type") {
  const auto a = read<long long, 2>(numpy_file("i8.little.c"));
  const auto b = read<std::int64_t, 2>(numpy_file("i8.little.c"));
  REQUIRE(a);
  REQUIRE(b);
  CHECK(equal(*a, *b));
}

TEST_CASE("booleans are read as bool and as uint8") {
  const auto mask = read<std::uint8_t, 2>(numpy_file("b1.little.c"));
  const auto truth = read<bool, 2>(numpy_file("b1.little.c"));
  REQUIRE(mask);
  REQUIRE(truth);
  CHECK(equal(*mask, *truth));
  CHECK(read<std::int8_t, 2>(numpy_file("b1.little.c")) == pare::status::unsupported);
  CHECK(read<bool, 2>(numpy_file("u1.little.c")) == pare::status::unsupported);
}

TEST_CASE("a boolean that is neither 0 nor 1 is an error") {
  bytes file = numpy_file("b1.little.c");
  file[file.size() - 2] = 2;
  const auto array = read<bool, 2>(file);
  CHECK(array == pare::status::bad_format);
  CHECK(array.error().position == static_cast<index_t>(file.size()) - 2);
  CHECK(read<std::uint8_t, 2>(file) == pare::status::bad_format);
  const scratch_folder folder;
  put(folder / "b.npy", file);
  CHECK(pare::load_npy<bool, 2>(folder / "b.npy") == pare::status::bad_format);
}

TEST_CASE("bfloat16 is read under each of the names that its writers use") {
  const auto values = read<double, 1>(numpy_file("bfloat16.values"));
  REQUIRE(values);
  for (const char* name : {"bfloat16.void", "bfloat16.little", "bfloat16.named"}) {
    CAPTURE(name);
    const auto array = read<pare::bfloat16, 1>(numpy_file(name));
    REQUIRE(array.status() == pare::status::ok);
    CHECK(equal(*array, *values));
  }
  const auto array = read<pare::bfloat16, 1>(numpy_file("bfloat16.void"));
  const auto again = read<pare::bfloat16, 1>(written(pare::write_npy(array->view())));
  REQUIRE(again);
  CHECK(equal_bits(*again, *array));
}

TEST_CASE("all three versions of the format are read") {
  const auto first = read<float, 3>(numpy_file("version1"));
  REQUIRE(first);
  CHECK((*first)(1, 2, 3) == doctest::Approx((23 * 7 - 40) / 4.0));
  for (const char* name : {"version2", "version3", "fortran3d"}) {
    CAPTURE(name);
    const auto array = read<float, 3>(numpy_file(name));
    REQUIRE(array.status() == pare::status::ok);
    CHECK(equal(*array, *first));
  }
}

TEST_CASE("ranks from 0 to 8 and empty arrays are read and written") {
  const auto scalar = read<double, 0>(numpy_file("scalar"));
  REQUIRE(scalar.status() == pare::status::ok);
  CHECK((*scalar)() == 2.5);
  CHECK(written(pare::write_npy(scalar->view())) == numpy_file("scalar"));

  const auto one = read<std::int32_t, 1>(numpy_file("one"));
  REQUIRE(one);
  CHECK_EQUAL_RANGES(*one, {0, 1, 2, 3, 4});
  CHECK(written(pare::write_npy(one->view())) == numpy_file("one"));

  const auto eight = read<std::uint8_t, 8>(numpy_file("eight"));
  REQUIRE(eight.status() == pare::status::ok);
  CHECK((*eight)(1, 0, 2, 0, 1, 0, 0, 0) == 22);
  CHECK(written(pare::write_npy(eight->view())) == numpy_file("eight"));
  CHECK(parse(numpy_file("nine")) == pare::status::unsupported);

  const auto empty1 = read<float, 1>(numpy_file("empty1"));
  REQUIRE(empty1);
  CHECK(empty1->extent(0) == 0);
  CHECK(written(pare::write_npy(empty1->view())) == numpy_file("empty1"));
  const auto empty2 = read<float, 2>(numpy_file("empty2"));
  REQUIRE(empty2);
  CHECK(empty2->extent(0) == 3);
  CHECK(empty2->extent(1) == 0);
  CHECK(written(pare::write_npy(empty2->view())) == numpy_file("empty2"));
  const scratch_folder folder;
  for (const char* name : {"empty2", "empty2.fortran"}) {
    put(folder / "e.npy", numpy_file(name));
    const auto array = pare::load_npy<float, 2>(folder / "e.npy");
    REQUIRE(array.status() == pare::status::ok);
    CHECK(array->empty());
  }
}

TEST_CASE("dictionaries that NumPy accepts but does not write are read") {
  for (const char* name : {"loose", "python2", "native"}) {
    CAPTURE(name);
    const auto array = read<float, 1>(numpy_file(name));
    REQUIRE(array.status() == pare::status::ok);
    CHECK_EQUAL_RANGES(*array, {0, 1});
  }
}

TEST_CASE("the header tells type, order, shape and where the data is") {
  const auto h = parse(numpy_file("f4.big.fortran"));
  REQUIRE(h);
  CHECK(h->type == pare::npy_type::float32);
  CHECK(h->order == pare::byte_order::big);
  CHECK(h->fortran_order);
  CHECK(h->rank == 2);
  CHECK(h->shape[0] == 3);
  CHECK(h->shape[1] == 4);
  CHECK(h->data_offset == 128);
  CHECK(h->data_bytes == 48);

  SUBCASE("and needs no byte after itself") {
    bytes file = numpy_file("f4.big.fortran");
    file.resize(128);
    CHECK(parse(file));
    file.resize(127);
    CHECK(parse(file) == pare::status::truncated);
  }
}

TEST_CASE("element types that the library does not have are named as unsupported") {
  for (const char* name : {"complex", "string", "date", "record", "longdouble"}) {
    CAPTURE(name);
    CHECK(parse(numpy_file(name)) == pare::status::unsupported);
  }
  for (const char* descr : {"'|O'", "'|f4'", "'f4'", "'<f44'", "'<f3'", "''", "'<'", "'<F4'"}) {
    CAPTURE(descr);
    const std::string dictionary =
        std::string("{'descr': ") + descr + ", 'fortran_order': False, 'shape': (1,)}";
    const auto h = parse(file_with(dictionary, 4));
    CHECK(h == pare::status::unsupported);
    CHECK(h.error().kind == pare::position_kind::byte);
    CHECK(h.error().position == 20);  // where the descriptor stands
  }
}

TEST_CASE("nothing is converted: another type or rank is an error that says what the file holds") {
  const auto wrong_type = read<double, 2>(numpy_file("f4.little.c"));
  CHECK(wrong_type == pare::status::unsupported);
  CHECK(std::string(wrong_type.error().message) ==
        "the array holds float32 (f4), not the type asked for");
  CHECK(read<float, 2>(numpy_file("f2.little.c")) == pare::status::unsupported);
  CHECK(read<std::uint32_t, 2>(numpy_file("i4.little.c")) == pare::status::unsupported);

  const auto wrong_rank = read<float, 3>(numpy_file("f4.little.c"));
  CHECK(wrong_rank == pare::status::shape_mismatch);
  CHECK(wrong_rank.error().position == 2);
  CHECK(read<float, 0>(numpy_file("f4.little.c")) == pare::status::shape_mismatch);

  float out[4][3] = {{7}};
  const bytes file = numpy_file("f4.little.c");
  const pare::status s =
      pare::read_npy(file.data(), static_cast<index_t>(file.size()), pare::view(out));
  CHECK(s == pare::status::shape_mismatch);
  CHECK(s.error().position == 0);
  CHECK(out[0][0] == 7);
}

TEST_CASE("a dictionary that is not one is an error with the byte where it breaks") {
  struct broken {
    const char* text;
    pare::status_code code;
    index_t at;  // in the dictionary
  };
  constexpr auto bad = pare::status_code::bad_format;
  constexpr auto overflow = pare::status_code::overflow;
  const broken all[] = {
      {"", bad, 0},
      {"   ", bad, 3},
      {"(1, 2)", bad, 0},
      {"{", bad, 1},
      {"{'descr'", bad, 8},
      {"{'descr' '<f4'}", bad, 9},
      {"{'descr': <f4}", bad, 10},
      {"{'descr': '<f4}", bad, 15},
      {"{'descr': '<f\\x34'}", bad, 13},
      {"{'descr': '<f\n4'}", bad, 13},
      {"{'descr': 4}", bad, 10},
      {"{,}", bad, 1},
      {"{}", bad, 2},
      {"{'descr': '<f4'}", bad, 16},
      {"{'descr': '<f4', 'fortran_order': False}", bad, 40},
      {"{'descr': '<f4', 'shape': (1,)}", bad, 31},
      {"{'fortran_order': False, 'shape': (1,)}", bad, 39},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", bad, 17},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", bad, 56},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", bad, 34},
      {"{'descr': '<f4', 'fortran_order': Falsey, 'shape': (1,)}", bad, 39},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", bad, 16},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", bad, 54},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", bad, 56},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", bad, 50},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': 1}", bad, 50},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", bad, 53},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", bad, 53},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", bad, 51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}", bad, 53},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", bad, 51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (+1,)}", bad, 51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", bad, 52},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0x1,)}", bad, 52},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}", bad, 51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1e9,)}", bad, 52},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,", bad, 53},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", overflow, 51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}", overflow,
       51},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", overflow, 50},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693951,)}", overflow, 50},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", overflow, 50},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 0, 4294967296)}", overflow,
       50},
  };
  for (const broken& b : all) {
    CAPTURE(b.text);
    const bytes file = file_with(b.text, 4);
    const auto h = parse(file);
    CHECK(h.error().code == b.code);
    CHECK(h.error().kind == pare::position_kind::byte);
    CHECK(h.error().position == 10 + b.at);
    CHECK(std::string(h.error().message) != "");
  }
  std::string with_null = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
  with_null += '\0';
  CHECK(parse(file_with(with_null, 4)) == pare::status::bad_format);
}

TEST_CASE("a file that is no .npy file is an error") {
  CHECK(read<float, 1>({}) == pare::status::truncated);
  CHECK(read<float, 1>({0x93, 'N', 'U'}) == pare::status::truncated);
  const auto zip = read<float, 1>({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(zip == pare::status::bad_format);
  CHECK(zip.error().position == 0);
  bytes file = numpy_file("one");
  file[3] = 'u';
  CHECK(read<std::int32_t, 1>(file).error().position == 3);
  for (int version : {0, 4, 255}) {
    file = numpy_file("one");
    file[6] = static_cast<unsigned char>(version);
    const auto array = read<std::int32_t, 1>(file);
    CHECK(array == pare::status::unsupported);
    CHECK(array.error().position == 6);
  }
  file = numpy_file("one");
  file[7] = 1;
  CHECK(read<std::int32_t, 1>(file) == pare::status::unsupported);
}

TEST_CASE("a file cut anywhere is truncated, and one with more bytes is refused") {
  const bytes whole = numpy_file("f4.little.fortran");
  const scratch_folder folder;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    const bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const auto array = read<float, 2>(part);
    CHECK(array == pare::status::truncated);
    CHECK(array.error().position == static_cast<index_t>(n));
    put(folder / "part.npy", part);
    const auto loaded = pare::load_npy<float, 2>(folder / "part.npy");
    CHECK(loaded == pare::status::truncated);
    CHECK(loaded.error().position == static_cast<index_t>(n));
  }
  bytes more = whole;
  more.push_back(0);
  const auto array = read<float, 2>(more);
  CHECK(array == pare::status::bad_format);
  CHECK(array.error().position == static_cast<index_t>(whole.size()));
  put(folder / "more.npy", more);
  CHECK(pare::load_npy<float, 2>(folder / "more.npy") == pare::status::bad_format);
}

TEST_CASE("a header that promises more than the file holds asks for no memory") {
  // 8 EiB of elements and a header of 4 GiB: if either were believed, the test would end here.
  const bytes elements =
      file_with("{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775000,)}", 16);
  CHECK(read<std::uint8_t, 1>(elements) == pare::status::truncated);
  bytes header = numpy_file("version2");
  header[8] = header[9] = header[10] = header[11] = 0xff;
  CHECK(read<float, 3>(header) == pare::status::truncated);
  const scratch_folder folder;
  put(folder / "elements.npy", elements);
  CHECK(pare::load_npy<std::uint8_t, 1>(folder / "elements.npy") == pare::status::truncated);
  put(folder / "header.npy", header);
  CHECK(pare::load_npy<float, 3>(folder / "header.npy") == pare::status::truncated);
  bytes none = numpy_file("version2");
  none[8] = none[9] = 0;
  CHECK(read<float, 3>(none) == pare::status::bad_format);
  put(folder / "none.npy", none);
  CHECK(pare::load_npy<float, 3>(folder / "none.npy") == pare::status::bad_format);
}

TEST_CASE("an unaligned buffer is read") {
  const bytes file = numpy_file("f8.little.c");
  bytes shifted(file.size() + 1);
  std::memcpy(shifted.data() + 1, file.data(), file.size());
  const auto array =
      pare::read_npy<double, 2>(shifted.data() + 1, static_cast<index_t>(file.size()));
  REQUIRE(array);
  CHECK(equal(*array, *read<double, 2>(file)));
}

TEST_CASE("mutated files never do harm") {
  const char* names[] = {
      "f4.little.fortran", "b1.little.c", "version3", "eight", "empty2", "loose"};
  pare_test::random_source random(1);
  const std::string interesting =
      "{}()[],:'\"<>|=-0123456789L \n\\\x93NUMPYTrueFalsedescrshapefiub";
  int accepted = 0;
  for (int round = 0; round < 6000; ++round) {
    const bytes file = numpy_file(names[round % 6]);
    bytes mutated = file;
    const std::int64_t edits = random.integer(1, 4);
    for (std::int64_t e = 0; e < edits && !mutated.empty(); ++e) {
      const auto at = static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(mutated.size()) - 1));
      const auto place = mutated.begin() + static_cast<std::ptrdiff_t>(at);
      const auto letter = static_cast<unsigned char>(interesting[static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(interesting.size()) - 1))]);
      switch (random.integer(0, 5)) {
        case 0: mutated[at] = static_cast<unsigned char>(random.bits() & 0xff); break;
        case 1: mutated[at] ^= static_cast<unsigned char>(1u << (random.bits() % 8)); break;
        case 2: mutated[at] = letter; break;
        case 3: mutated.insert(place, letter); break;
        case 4: mutated.erase(place); break;
        default: mutated.resize(at); break;
      }
    }
    // An exact allocation, so that a sanitizer sees every byte read beyond it.
    const pare::tensor<unsigned char, 1> exact = [&] {
      pare::tensor<unsigned char, 1> t({static_cast<index_t>(mutated.size())});
      for (std::size_t i = 0; i < mutated.size(); ++i) t.data()[i] = mutated[i];
      return t;
    }();
    const auto h = pare::parse_npy_header(exact.data(), exact.size());
    if (h) {
      CHECK(h->rank >= 0);
      CHECK(h->rank <= pare::npy_max_rank);
      CHECK(h->data_offset <= exact.size());
      CHECK(h->data_bytes >= 0);
      CHECK(h->data_bytes <= pare::detail::max_index - h->data_offset);
    } else {
      CHECK(h.error().position >= 0);
      CHECK(h.error().position <= exact.size());
    }
    const auto f2 = pare::read_npy<float, 2>(exact.data(), exact.size());
    const auto f3 = pare::read_npy<float, 3>(exact.data(), exact.size());
    const auto u8 = pare::read_npy<std::uint8_t, 8>(exact.data(), exact.size());
    const auto b2 = pare::read_npy<bool, 2>(exact.data(), exact.size());
    const auto f1 = pare::read_npy<float, 1>(exact.data(), exact.size());
    accepted += f2.has_value() + f3.has_value() + u8.has_value() + b2.has_value() + f1.has_value();
  }
  CHECK(accepted > 100);  // the loop is worth something only if some get through
}

TEST_CASE("save_npy and load_npy keep an array") {
  const scratch_folder folder;
  const auto w = pare_test::random_normal<float>({17, 9}, 3);
  const std::string path = folder / "w.npy";
  REQUIRE(pare::save_npy(path, w.view()) == pare::status::ok);
  const auto back = pare::load_npy<float, 2>(path);
  REQUIRE(back.status() == pare::status::ok);
  CHECK(equal_bits(*back, w));
  CHECK(folder.entries() == 1);

  SUBCASE("a transposed view is gathered") {
    REQUIRE(pare::save_npy(path.c_str(), pare::transposed(w.view())) == pare::status::ok);
    CHECK(equal_bits(pare::transposed(pare::load_npy<float, 2>(path)->view()), w));
    CHECK(folder.entries() == 1);
  }
  SUBCASE("a column-major view keeps its order in the file") {
    const auto columns = pare_test::column_major_copy(w);
    REQUIRE(pare::save_npy(path, columns.view()) == pare::status::ok);
    CHECK(parse(content_of(path))->fortran_order);
    CHECK(equal_bits(*pare::load_npy<float, 2>(path), w));
  }
  SUBCASE("a view larger than one block is gathered whole") {
    const auto large = pare_test::random_codes<std::int16_t>({50, 101}, 4);
    const auto apart = pare_test::strided_copy(large, 1, 3);
    REQUIRE(pare::save_npy(path, apart.view()) == pare::status::ok);
    CHECK(equal_bits(*pare::load_npy<std::int16_t, 2>(path), large));
  }
  SUBCASE("another file of the temporary's name is left alone") {
    put(path + ".part0", {'m', 'i', 'n', 'e'});
    REQUIRE(pare::save_npy(path, w.view()) == pare::status::ok);
    CHECK(content_of(path + ".part0") == bytes{'m', 'i', 'n', 'e'});
    CHECK(folder.entries() == 2);
  }
}

TEST_CASE("files that cannot be read or written are errors, and lose nothing") {
  const scratch_folder folder;
  const auto w = pare_test::random_normal<float>({4, 4}, 3);
  CHECK(pare::load_npy<float, 2>(folder / "none.npy") == pare::status::io);
  CHECK(pare::load_npy<float, 2>(folder / "") == pare::status::io);
  CHECK(pare::save_npy(folder / "none/w.npy", w.view()) == pare::status::io);
  CHECK(pare::save_npy(folder / "", w.view()) == pare::status::io);
  CHECK(pare::save_npy("", w.view()) == pare::status::io);
  CHECK(folder.entries() == 0);
#if defined(__linux__)
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(pare::load_npy<float, 2>(pipe) == pare::status::io);
  CHECK(pare::save_npy(pipe, w.view()) == pare::status::io);
  CHECK(std::filesystem::is_fifo(pipe));
  std::filesystem::remove(pipe);

  SUBCASE("the disk is full") {
    const std::string path = folder / "w.npy";
    REQUIRE(pare::save_npy(path, w.view()) == pare::status::ok);
    const bytes before = content_of(path);
    const auto large = pare_test::random_normal<float>({100, 100}, 4);
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const rlimit small{1000, limit.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const pare::status s = pare::save_npy(path, large.view());
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, handler);
    CHECK(s == pare::status::io);
    CHECK(content_of(path) == before);
    CHECK(folder.entries() == 1);
  }
  SUBCASE("a link stays a link, and permissions stay") {
    const std::string path = folder / "w.npy", link = folder / "link.npy";
    REQUIRE(pare::save_npy(path, w.view()) == pare::status::ok);
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink("w.npy", link);
    const auto other = pare_test::random_normal<float>({2, 2}, 4);
    REQUIRE(pare::save_npy(link, other.view()) == pare::status::ok);
    CHECK(std::filesystem::is_symlink(link));
    CHECK(equal_bits(*pare::load_npy<float, 2>(path), other));
    CHECK(std::filesystem::status(path).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }
#endif
}
