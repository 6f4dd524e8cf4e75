// Start, console and files for a Cortex-M without an operating system.
//
// Armv7-M Architecture Reference Manual, B1.5 (exceptions and reset) and B3.2.20 (CPACR);
// "Semihosting for AArch32 and AArch64", Arm, release 2.0.
#include "board.hpp"

int main();

extern "C" {

// From board.ld.
extern std::uint32_t stack_top, data_load, data_begin, data_end, bss_begin, bss_end;

[[noreturn]] void reset();
[[noreturn]] void fault();

}  // extern "C"

namespace {

struct vector_table {
  const std::uint32_t* stack;
  void (*handlers[15])();
};
[[gnu::section(".vectors"), gnu::used]] const vector_table vectors = {
    &stack_top, {reset, fault, fault, fault, fault, fault, fault}};

enum class call : std::uint32_t { open = 0x01, print = 0x04, read = 0x06, leave = 0x20 };

std::int32_t semihosting(call operation, const void* parameter) {
  register std::uint32_t r0 __asm__("r0") = static_cast<std::uint32_t>(operation);
  register const void* r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return static_cast<std::int32_t>(r0);
}

constexpr std::uint32_t pattern = 0x5aa5c33c, painted_words = 2048;

/// The end of the stack's part that `paint_stack` fills.
std::uint32_t* painted() { return &stack_top - painted_words; }

}  // namespace

void reset() {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  // Coprocessors 10 and 11: floating point and Helium.
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed88) |= 0xfu << 20;
  __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
  const std::uint32_t* from = &data_load;
  for (std::uint32_t* to = &data_begin; to != &data_end; ++to) *to = *from++;
  for (std::uint32_t* to = &bss_begin; to != &bss_end; ++to) *to = 0;
  board::leave(main());
}

void fault() {
  board::print("fault\n");
  board::leave(99);
}

namespace board {

void print(const char* text) { semihosting(call::print, text); }

void print(std::uint32_t number) {
  char digits[11];
  char* first = digits + sizeof(digits) - 1;
  *first = '\0';
  do {
    *--first = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  print(first);
}

void print_hex(const std::uint8_t* bytes, int count) {
  for (int i = 0; i < count; ++i) {
    const char text[] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15],
                         '\0'};
    print(text);
  }
}

void leave(int code) {
  constexpr std::uint32_t application_exit = 0x20026;
  const std::uint32_t block[] = {application_exit, static_cast<std::uint32_t>(code)};
  semihosting(call::leave, block);
  for (;;) {
  }
}

file::file(const char* path, std::uint32_t length) {
  constexpr std::uint32_t read_binary = 1;
  const std::uint32_t block[] = {reinterpret_cast<std::uintptr_t>(path), read_binary, length};
  handle_ = semihosting(call::open, block);
}

bool file::read(void* to, std::uint32_t count) {
  const std::uint32_t block[] = {static_cast<std::uint32_t>(handle_),
                                 reinterpret_cast<std::uintptr_t>(to), count};
  return handle_ != -1 && semihosting(call::read, block) == 0;
}

void paint_stack() {
  const auto* here = static_cast<std::uint32_t*>(__builtin_frame_address(0));
  for (std::uint32_t* word = painted(); word < here - 16; ++word) {
    *static_cast<volatile std::uint32_t*>(word) = pattern;
  }
}

std::uint32_t stack_used() {
  const std::uint32_t* word = painted();
  while (word < &stack_top && *word == pattern) ++word;
  return static_cast<std::uint32_t>(&stack_top - word) * sizeof(std::uint32_t);
}

}  // namespace board
