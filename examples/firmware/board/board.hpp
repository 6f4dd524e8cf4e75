// The little that the example needs of a board: a console and files of the host by semihosting, the
// depth of the stack, and marks for counting instructions.
#ifndef PARE_EXAMPLES_FIRMWARE_BOARD_HPP
#define PARE_EXAMPLES_FIRMWARE_BOARD_HPP

#include <cstdint>

namespace board {

void print(const char* text);
void print(std::uint32_t number);
/// Two digits for each byte.
void print_hex(const std::uint8_t* bytes, int count);
[[noreturn]] void leave(int code);

/// A file of the host, in the folder that the emulator or the debugger was started in.
class file {
 public:
  template <std::uint32_t Size>
  explicit file(const char (&path)[Size]) : file(path, Size - 1) {}
  /// Whether all bytes were there.
  bool read(void* to, std::uint32_t count);

 private:
  file(const char* path, std::uint32_t length);

  std::int32_t handle_;
};

/// Fills the free stack with a pattern, and finds how much of it has been overwritten since: the
/// bytes of the deepest call, up to 8 KB.
void paint_stack();
std::uint32_t stack_used();

// Hints that do nothing, which tests/firmware/count_instructions.c sees. Cortex-M0 has none.
#if __ARM_ARCH >= 7
inline void begin_count() { __asm__ volatile(".inst.w 0xf3af80e0" ::: "memory"); }
inline void end_count() { __asm__ volatile(".inst.w 0xf3af80d0" ::: "memory"); }
#else
inline void begin_count() {}
inline void end_count() {}
#endif

}  // namespace board

#endif  // PARE_EXAMPLES_FIRMWARE_BOARD_HPP
