#include "board.hpp"

namespace board {

void print_number(std::int32_t number) {
  char digits[12];
  char* at = digits + 11;
  *at = 0;
  std::uint32_t rest =
      number < 0 ? 0u - static_cast<std::uint32_t>(number) : static_cast<std::uint32_t>(number);
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (number < 0) *--at = '-';
  print(at);
}

void fail(const char* what, const char* file, int line) {
  print(file);
  print(":");
  print_number(line);
  print(": failed: ");
  print(what);
  print("\n");
  leave(1);
}

}  // namespace board
