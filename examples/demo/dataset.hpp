// A labelled image set in three parts: one to train on, one to make choices by, one to report.
#ifndef PARE_EXAMPLES_DEMO_DATASET_HPP
#define PARE_EXAMPLES_DEMO_DATASET_HPP

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include <pare/core/subview.hpp>
#include <pare/core/tensor.hpp>

#include "idx.hpp"

namespace demo {

inline constexpr pare::index_t classes = 10;

/// Pictures as the file holds them, and what they show.
struct labelled_images {
  pare::tensor<std::uint8_t, 3> images;  ///< [count, rows, columns]
  pare::tensor<std::uint8_t, 1> labels;  ///< [count], 0 to 9

  pare::index_t count() const { return images.extent(0); }
  pare::index_t pixels() const { return images.extent(1) * images.extent(2); }

  /// One picture a row: [count, pixels].
  pare::matrix_view<const std::uint8_t> rows() const {
    return pare::view(images.data(), count(), pixels());
  }
};

struct dataset {
  labelled_images train;
  labelled_images validation;  ///< the end of the training files: decides what is to be decided
  labelled_images test;        ///< only ever reported
  float pixel_scale = 1;       ///< a network's input is pixel * pixel_scale, in [0, 1]
};

/// Pictures as network inputs, [count, pixels].
inline pare::tensor<float, 2> to_inputs(const labelled_images& set, float pixel_scale) {
  pare::tensor<float, 2> inputs({set.count(), set.pixels()});
  std::transform(set.images.begin(), set.images.end(), inputs.begin(),
                 [=](std::uint8_t pixel) { return static_cast<float>(pixel) * pixel_scale; });
  return inputs;
}

/// A copy of the pictures [first, last).
inline labelled_images slice(const labelled_images& set, pare::index_t first, pare::index_t last) {
  using pare::all, pare::range, pare::subview, pare::tensor;
  const auto images = subview(set.images.view(), range{first, last}, all, all);
  const auto labels = subview(set.labels.view(), range{first, last});
  return {tensor<std::uint8_t, 3>::copy_of(images).value(),
          tensor<std::uint8_t, 1>::copy_of(labels).value()};
}

namespace detail {

/// `FOLDER/name`, or `FOLDER/name.gz` where only that exists. The error's subject is the name.
template <std::size_t Rank>
pare::result<pare::tensor<std::uint8_t, Rank>> read_named(const std::string& folder,
                                                          const char* name) {
  const std::string plain = folder + "/" + name;
  auto read = read_idx<Rank>(std::ifstream(plain).good() ? plain : plain + ".gz");
  if (read) return read;
  pare::error e = read.error();
  e.subject = name;
  return e;
}

inline pare::result<labelled_images> read_pair(const std::string& folder, const char* image_file,
                                               const char* label_file) {
  using pare::position_kind;
  using pare::status_code;

  auto images = read_named<3>(folder, image_file);
  if (!images) return images.error();
  auto labels = read_named<1>(folder, label_file);
  if (!labels) return labels.error();

  constexpr pare::index_t count_at = 4, labels_at = 8;  // bytes of the file
  if (images->empty()) {
    return {status_code::empty, "there are no pictures in it", image_file, position_kind::byte,
            count_at};
  }
  if (labels->extent(0) != images->extent(0)) {
    return {status_code::shape_mismatch, "there is not one label for each picture", label_file,
            position_kind::byte, count_at};
  }
  const auto* unknown = std::find_if(labels->begin(), labels->end(),
                                     [](std::uint8_t label) { return label >= classes; });
  if (unknown != labels->end()) {
    return {status_code::out_of_range, "a label is not one of 0 to 9", label_file,
            position_kind::byte, labels_at + (unknown - labels->begin())};
  }
  return labelled_images{std::move(*images), std::move(*labels)};
}

}  // namespace detail

/// Reads the four files of MNIST, or of any set in its form: `train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, plain or `.gz`.
///
/// A tenth of the training pictures, the last ones and at most 5000, become the validation part.
///
/// @return what `read_idx` returns, with the file's name as the subject; `empty`; `shape_mismatch`
///         where labels and pictures differ in number, or test and training pictures in size;
///         `out_of_range` at a label above 9
inline pare::result<dataset> load_dataset(const std::string& folder) {
  auto known = detail::read_pair(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
  if (!known) return known.error();
  auto test = detail::read_pair(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
  if (!test) return test.error();
  for (std::size_t axis : {1, 2}) {
    if (known->images.extent(axis) != test->images.extent(axis)) {
      return {pare::status_code::shape_mismatch,
              "its pictures differ in size from those to train on", "t10k-images-idx3-ubyte",
              pare::position_kind::byte, static_cast<pare::index_t>(4 + 4 * axis)};
    }
  }

  dataset data;
  const pare::index_t held_out = std::min<pare::index_t>(known->count() / 10, 5000);
  const pare::index_t kept = known->count() - held_out;
  data.train = slice(*known, 0, kept);
  data.validation = slice(*known, kept, known->count());
  data.test = std::move(*test);
  const int brightest = *std::max_element(data.train.images.begin(), data.train.images.end());
  data.pixel_scale = 1.0f / static_cast<float>(std::max(brightest, 1));
  return data;
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_DATASET_HPP
