// The firmware: reads the test pictures of examples/data, one after the other, and prints what it
// makes of each. Weights stay in flash, all else is one arena and the stack.
#include "board/board.hpp"
#include "reader.hpp"

namespace {

// DIGITS_CNN chooses the network; the linker drops the other one.
#ifdef DIGITS_CNN
constexpr const auto& reader = digits::cnn_reader;
constexpr const auto& softmax = digits::cnn_softmax;
#else
constexpr const auto& reader = digits::mlp_reader;
constexpr const auto& softmax = digits::mlp_softmax;
#endif

// Checks the whole network: shapes that do not fit each other do not compile.
constexpr pare::index_t arena_bytes = reader.arena_size().value();
alignas(pare::workspace_alignment) std::byte arena[arena_bytes];

/// The next pictures of an IDX file and their digits.
struct test_set {
  board::file pictures{"t10k-images-idx3-ubyte"}, labels{"t10k-labels-idx1-ubyte"};
  std::uint32_t count = 0;

  bool open() {
    std::uint8_t header[16];
    if (!pictures.read(header, 16)) return false;
    count = std::uint32_t{header[4]} << 24 | std::uint32_t{header[5]} << 16 |
            std::uint32_t{header[6]} << 8 | header[7];
    return header[11] == 8 && header[15] == 8 && labels.read(header, 8);
  }
  bool next(std::uint8_t (&picture)[digits::pixels], std::uint8_t& digit) {
    return pictures.read(picture, sizeof(picture)) && labels.read(&digit, 1);
  }
};

int fail(const char* what) {
  board::print(what);
  board::print("\n");
  return 1;
}

}  // namespace

int main() {
  board::paint_stack();
  test_set set;
  if (!set.open())
    return fail("no pictures of 8 x 8 pixels here: start the emulator in examples/data");
  std::uint32_t right = 0;
  for (std::uint32_t i = 0; i < set.count; ++i) {
    std::uint8_t picture[digits::pixels], label = 0;
    if (!set.next(picture, label))
      return fail("the pictures end too early: copy examples/data anew");
    digits::reading r;
    board::begin_count();
    const pare::status s = digits::read<reader, softmax>(picture, arena, r);
    board::end_count();
    if (!s) return fail("the network did not run");
    board::print_hex(r.logits, digits::classes);
    board::print(" ");
    board::print_hex(r.probabilities, digits::classes);
    board::print("\n");
    if (r.digit() == label) ++right;
  }
  board::print("right ");
  board::print(right);
  board::print(" of ");
  board::print(set.count);
  board::print("\narena ");
  board::print(static_cast<std::uint32_t>(arena_bytes));
  board::print("\nstack ");
  board::print(board::stack_used());
  board::print("\n");
  return 0;
}
