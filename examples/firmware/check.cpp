// Whether a board said what the host says: reads what the firmware printed and compares each code of
// each picture.
//
//     check mlp|cnn DATA <what-the-board-printed
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "reader.hpp"

namespace {

std::vector<std::uint8_t> bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string hex(const std::uint8_t (&codes)[digits::classes]) {
  std::string text;
  for (const std::uint8_t code : codes) {
    text += "0123456789abcdef"[code >> 4];
    text += "0123456789abcdef"[code & 15];
  }
  return text;
}

template <const auto& Reader, const auto& Softmax>
int check(const std::string& folder) {
  constexpr std::size_t image_header = 16, label_header = 8;
  const auto images = bytes_of(folder + "/t10k-images-idx3-ubyte");
  const auto labels = bytes_of(folder + "/t10k-labels-idx1-ubyte");
  if (images.size() <= image_header || labels.size() <= label_header) {
    std::fputs("there are no pictures in that folder; examples/data has them\n", stderr);
    return 2;
  }
  const std::size_t count = labels.size() - label_header;
  alignas(pare::workspace_alignment) std::byte arena[4096];
  std::string said;
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t picture[digits::pixels];
    std::memcpy(picture, images.data() + image_header + i * sizeof(picture), sizeof(picture));
    digits::reading r;
    if (const pare::status s = digits::read<Reader, Softmax>(picture, arena, r); !s) {
      std::fprintf(stderr, "picture %zu: %s\n", i, s.error().message);
      return 1;
    }
    const std::string expected = hex(r.logits) + " " + hex(r.probabilities);
    if (!std::getline(std::cin, said) || said != expected) {
      std::fprintf(stderr, "picture %zu: the host says %s, the board %s\n", i, expected.c_str(),
                   said.c_str());
      return 1;
    }
    right += r.digit() == labels[label_header + i];
  }
  const std::string expected = "right " + std::to_string(right) + " of " + std::to_string(count);
  if (!std::getline(std::cin, said) || said != expected) {
    std::fprintf(stderr, "the host says %s, the board %s\n", expected.c_str(), said.c_str());
    return 1;
  }
  std::printf("the board gave the bits of the host for %zu pictures\n", count);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::string network = count == 3 ? words[1] : "";
  if (network == "mlp") return check<digits::mlp_reader, digits::mlp_softmax>(words[2]);
  if (network == "cnn") return check<digits::cnn_reader, digits::cnn_softmax>(words[2]);
  std::fputs("usage: check mlp|cnn DATA\n", stderr);
  return 2;
}
