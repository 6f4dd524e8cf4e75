// A number that stands for the bits of an output.
#ifndef PARE_TESTS_FIRMWARE_HASH_HPP
#define PARE_TESTS_FIRMWARE_HASH_HPP

#include "board.hpp"

namespace board {

/// FNV-1a, 32 bits (Fowler, Noll, Vo).
inline std::uint32_t hash(const void* bytes, std::size_t size) {
  std::uint32_t h = 2166136261u;
  for (std::size_t i = 0; i < size; ++i) {
    h = (h ^ static_cast<const std::uint8_t*>(bytes)[i]) * 16777619u;
  }
  return h;
}

/// A line of its own.
inline void print_hash(const void* bytes, std::size_t size) {
  print_number(static_cast<std::int32_t>(hash(bytes, size)));
  print("\n");
}

}  // namespace board

#endif  // PARE_TESTS_FIRMWARE_HASH_HPP
