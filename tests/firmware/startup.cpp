// Reset, memory, and the way out, for programs on the boards that QEMU emulates: the vector table of
// a Cortex-M, and semihosting ("Semihosting for AArch32 and AArch64", Arm, release 2.0).
#include "board.hpp"

extern "C" {

// From board.ld.
extern std::uint32_t stack_top, data_source, data_begin, data_end, bss_begin, bss_end;

int main();
[[noreturn]] void reset();

}  // extern "C"

namespace {

/// The debugger reads the operation and its parameter when BKPT 0xAB stops the core.
std::int32_t call_host(std::int32_t operation, const void* parameter) {
  register std::int32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void fault() {
  board::print("fault\n");
  board::leave(99);
}

/// The first words of the memory: where the stack begins, and the handlers of the core's exceptions.
struct vector_table {
  std::uint32_t* stack;
  void (*handlers[15])();
};
[[gnu::section(".vectors"), gnu::used]] const vector_table vectors = {
    &stack_top, {reset, fault, fault, fault, fault, fault, fault}};

}  // namespace

namespace board {

void print(const char* text) { call_host(0x04, text); }

void leave(int code) {
  const std::uint32_t block[] = {0x20026, static_cast<std::uint32_t>(code)};
  call_host(0x20, block);
  for (;;) {
  }
}

}  // namespace board

void reset() {
  // The coprocessor access register: floating point and Helium on.
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed88) |= 0xfu << 20;
  __asm__ volatile("dsb\n\tisb");
  const std::uint32_t* from = &data_source;
  for (std::uint32_t* to = &data_begin; to < &data_end; ++to) *to = *from++;
  for (std::uint32_t* to = &bss_begin; to < &bss_end; ++to) *to = 0;
  board::leave(main());
}
