// What the programs in this folder need of a board: text and exit code by semihosting, checks,
// regions whose instructions are counted (count_instructions.c), and numbers by chance.
#ifndef PARE_TESTS_FIRMWARE_BOARD_HPP
#define PARE_TESTS_FIRMWARE_BOARD_HPP

#include <cstddef>
#include <cstdint>

namespace board {

void print(const char* text);
void print_number(std::int32_t number);
[[noreturn]] void leave(int code);

/// Says where, and ends the program.
[[noreturn]] void fail(const char* what, const char* file, int line);

/// Numbers by chance, the same in each run (Marsaglia, "Xorshift RNGs", 2003).
class random {
 public:
  explicit random(std::uint32_t seed) : state_(seed) {}
  std::uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    return state_ ^= state_ << 5;
  }
  /// From first to last.
  int between(int first, int last) {
    return first + static_cast<int>(next() % (static_cast<unsigned>(last - first) + 1u));
  }
  /// In [first, last).
  float real(float first, float last) {
    return first + (last - first) * static_cast<float>(next() >> 8) * (1.0f / 16777216.0f);
  }

 private:
  std::uint32_t state_;
};

}  // namespace board

#define CHECK(condition)                                           \
  do {                                                             \
    if (!(condition)) board::fail(#condition, __FILE__, __LINE__); \
  } while (false)

/// Marks for count_instructions.c: hints that do nothing, 0 <= number < 16.
#define COUNT_BEGIN(number) __asm__ volatile(".inst.w 0xf3af80e0 + %c0" ::"i"(number) : "memory")
#define COUNT_END(number) __asm__ volatile(".inst.w 0xf3af80d0 + %c0" ::"i"(number) : "memory")

#endif  // PARE_TESTS_FIRMWARE_BOARD_HPP
