#include "machine.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef PARE_BENCH_FLAGS
#define PARE_BENCH_FLAGS "unknown"
#endif

namespace pare_bench {

std::string machine_description() {
  std::string model = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " hardware threads, best kernels: " + pare::name(pare::active_isa());
}

std::string compiler_description() {
#if defined(__clang__)
  return std::string("clang ") + __clang_version__ + ", " + PARE_BENCH_FLAGS;
#else
  return std::string("gcc ") + __VERSION__ + ", " + PARE_BENCH_FLAGS;
#endif
}

#if defined(__x86_64__)
namespace {

constexpr long iterations = 1000;
constexpr int accumulators = 12;

// Twelve independent accumulators hide the latency; operands stay in registers.
#define PARE_BENCH_TWELVE(instruction, r)                                                          \
  instruction " %%" r "12, %%" r "13, %%" r "0\n" instruction " %%" r "12, %%" r "13, %%" r        \
              "1\n" instruction " %%" r "12, %%" r "13, %%" r "2\n" instruction " %%" r "12, %%" r \
              "13, %%" r "3\n" instruction " %%" r "12, %%" r "13, %%" r "4\n" instruction " %%" r \
              "12, %%" r "13, %%" r "5\n" instruction " %%" r "12, %%" r "13, %%" r                \
              "6\n" instruction " %%" r "12, %%" r "13, %%" r "7\n" instruction " %%" r "12, %%" r \
              "13, %%" r "8\n" instruction " %%" r "12, %%" r "13, %%" r "9\n" instruction " %%" r \
              "12, %%" r "13, %%" r "10\n" instruction " %%" r "12, %%" r "13, %%" r "11\n"
#define PARE_BENCH_REGISTERS                                                               \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"

__attribute__((target("avx512f"))) void vnni_512() {
  long n = iterations;
  __asm__ volatile("1:\n" PARE_BENCH_TWELVE("vpdpbusd", "zmm") "dec %0\njnz 1b\n"
                   : "+r"(n)::PARE_BENCH_REGISTERS);
}

__attribute__((target("avx2"))) void vnni_256() {
  long n = iterations;
  __asm__ volatile("1:\n" PARE_BENCH_TWELVE("%{vex%} vpdpbusd", "ymm") "dec %0\njnz 1b\n"
                   : "+r"(n)::PARE_BENCH_REGISTERS);
}

// Without a dot-product instruction: bytes to words, words to dwords, add. Four temporaries take
// turns.
#define PARE_BENCH_THREE(to, temporary)                   \
  "vpmaddubsw %%ymm12, %%ymm13, %%ymm" temporary          \
  "\n"                                                    \
  "vpmaddwd %%ymm" temporary ", %%ymm14, %%ymm" temporary \
  "\n"                                                    \
  "vpaddd %%ymm" temporary ", %%ymm" to ", %%ymm" to "\n"
__attribute__((target("avx2"))) void multiply_add_256() {
  long n = iterations;
  __asm__ volatile(
      "1:\n" PARE_BENCH_THREE("0", "8") PARE_BENCH_THREE("1", "9") PARE_BENCH_THREE("2", "10")
          PARE_BENCH_THREE("3", "11") PARE_BENCH_THREE("4", "15") PARE_BENCH_THREE("5", "8")
              PARE_BENCH_THREE("6", "9") PARE_BENCH_THREE("7", "10") "dec %0\njnz 1b\n"
      : "+r"(n)::PARE_BENCH_REGISTERS);
}

// Words to dwords, and add: 32 products for two instructions. Three temporaries take turns.
#define PARE_BENCH_PAIR(to, temporary)         \
  "vpmaddwd %%zmm12, %%zmm13, %%zmm" temporary \
  "\n"                                         \
  "vpaddd %%zmm" temporary ", %%zmm" to ", %%zmm" to "\n"
__attribute__((target("avx512f"))) void words_512() {
  long n = iterations;
  __asm__ volatile("1:\n" PARE_BENCH_PAIR("0", "11") PARE_BENCH_PAIR("1", "14") PARE_BENCH_PAIR(
                       "2", "15") PARE_BENCH_PAIR("3", "11") PARE_BENCH_PAIR("4", "14")
                       PARE_BENCH_PAIR("5", "15") PARE_BENCH_PAIR("6", "11") PARE_BENCH_PAIR(
                           "7", "14") PARE_BENCH_PAIR("8", "15") PARE_BENCH_PAIR("9", "11")
                           PARE_BENCH_PAIR("10", "14") PARE_BENCH_PAIR("0", "15") "dec %0\njnz 1b\n"
                   : "+r"(n)::PARE_BENCH_REGISTERS);
}

// The same on the registers of SSE2, 8 products for two instructions and a copy: results overwrite an
// operand.
#define PARE_BENCH_PAIR_128(to, temporary) \
  "movdqa %%xmm12, %%xmm" temporary        \
  "\n"                                     \
  "pmaddwd %%xmm13, %%xmm" temporary       \
  "\n"                                     \
  "paddd %%xmm" temporary ", %%xmm" to "\n"
void words_128() {
  long n = iterations;
  __asm__ volatile("1:\n" PARE_BENCH_PAIR_128("0", "8") PARE_BENCH_PAIR_128("1", "9")
                       PARE_BENCH_PAIR_128("2", "10") PARE_BENCH_PAIR_128("3", "11")
                           PARE_BENCH_PAIR_128("4", "14") PARE_BENCH_PAIR_128("5", "15")
                               PARE_BENCH_PAIR_128("6", "8")
                                   PARE_BENCH_PAIR_128("7", "9") "dec %0\njnz 1b\n"
                   : "+r"(n)::PARE_BENCH_REGISTERS);
}

__attribute__((target("avx512f"))) void read_512(const char* p, const char* end) {
  __asm__ volatile(
      "1:\n"
      "vpord (%0), %%zmm0, %%zmm0\nvpord 64(%0), %%zmm1, %%zmm1\nvpord 128(%0), %%zmm2, %%zmm2\n"
      "vpord 192(%0), %%zmm3, %%zmm3\nvpord 256(%0), %%zmm4, %%zmm4\nvpord 320(%0), %%zmm5, "
      "%%zmm5\n"
      "vpord 384(%0), %%zmm6, %%zmm6\nvpord 448(%0), %%zmm7, %%zmm7\n"
      "add $512, %0\ncmp %1, %0\njb 1b\n"
      : "+r"(p)
      : "r"(end)
      : PARE_BENCH_REGISTERS, "memory");
}

__attribute__((target("avx2"))) void read_256(const char* p, const char* end) {
  __asm__ volatile(
      "1:\n"
      "vpor (%0), %%ymm0, %%ymm0\nvpor 32(%0), %%ymm1, %%ymm1\nvpor 64(%0), %%ymm2, %%ymm2\n"
      "vpor 96(%0), %%ymm3, %%ymm3\nvpor 128(%0), %%ymm4, %%ymm4\nvpor 160(%0), %%ymm5, %%ymm5\n"
      "vpor 192(%0), %%ymm6, %%ymm6\nvpor 224(%0), %%ymm7, %%ymm7\n"
      "add $256, %0\ncmp %1, %0\njb 1b\n"
      : "+r"(p)
      : "r"(end)
      : PARE_BENCH_REGISTERS, "memory");
}

void read_128(const char* p, const char* end) {
  __asm__ volatile(
      "1:\n"
      "por (%0), %%xmm0\npor 16(%0), %%xmm1\npor 32(%0), %%xmm2\npor 48(%0), %%xmm3\n"
      "por 64(%0), %%xmm4\npor 80(%0), %%xmm5\npor 96(%0), %%xmm6\npor 112(%0), %%xmm7\n"
      "add $128, %0\ncmp %1, %0\njb 1b\n"
      : "+r"(p)
      : "r"(end)
      : PARE_BENCH_REGISTERS, "memory");
}

}  // namespace

std::vector<pare::isa> isas_to_measure(const options& o) {
  std::vector<pare::isa> isas;
  for (const pare::isa i : pare::all_isas) {
    const bool is_wanted =
        o.isa == "all" || (o.isa.empty() ? i == pare::active_isa() : o.isa == pare::name(i));
    if (is_wanted && pare::is_supported(i)) isas.push_back(i);
  }
  if (isas.empty()) {
    std::fprintf(stderr, "this machine cannot run --isa %s\n", o.isa.c_str());
    std::exit(2);
  }
  return isas;
}

dot_product_limit dot_product_limit_of(pare::isa isa) {
  switch (isa) {
    case pare::isa::avx512vnni: return {2.0 * 64 * accumulators * iterations, vnni_512};
    case pare::isa::avxvnni: return {2.0 * 32 * accumulators * iterations, vnni_256};
    case pare::isa::avx512bw: return {2.0 * 32 * accumulators * iterations, words_512};
    case pare::isa::avx2: return {2.0 * 32 * 8 * iterations, multiply_add_256};
    case pare::isa::sse2: return {2.0 * 8 * 8 * iterations, words_128};
    default: break;
  }
  return {};
}

void read_all(pare::isa isa, const void* data, std::size_t bytes) {
  const char* p = static_cast<const char*>(data);
  const char* end = p + bytes / 512 * 512;
  if (p == end) return;
  if (isa == pare::isa::avx512vnni || isa == pare::isa::avx512bw) return read_512(p, end);
  if (isa == pare::isa::sse2) return read_128(p, end);
  if (isa != pare::isa::scalar) return read_256(p, end);
}
#else
dot_product_limit dot_product_limit_of(pare::isa) { return {}; }
void read_all(pare::isa, const void*, std::size_t) {}
#endif

}  // namespace pare_bench
