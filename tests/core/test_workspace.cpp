// workspace: scratch handed out from the front of the caller's bytes.
#include <pare/core/workspace.hpp>

#include <cstddef>
#include <cstdint>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::index_t;
using pare::workspace;

namespace {

bool aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; }

}  // namespace

TEST_CASE("what a size query adds up is exactly what the calls need") {
  constexpr index_t needed = workspace::bytes_for<float>(3) +
                             workspace::bytes_for<std::int32_t>(17) +
                             workspace::bytes_for<std::int8_t>(64);
  static_assert(needed == 64 + 128 + 64);
  alignas(64) std::byte memory[needed];
  workspace scratch(memory);
  float* a = scratch.take<float>(3);
  std::int32_t* b = scratch.take<std::int32_t>(17);
  std::int8_t* c = scratch.take<std::int8_t>(64);
  REQUIRE(a != nullptr);
  REQUIRE(b != nullptr);
  REQUIRE(c != nullptr);
  CHECK(scratch.size() == 0);
  CHECK(aligned(a));
  CHECK(aligned(b));
  CHECK(aligned(c));
  CHECK(reinterpret_cast<std::byte*>(b) - reinterpret_cast<std::byte*>(a) == 64);
  CHECK(reinterpret_cast<std::byte*>(c) - reinterpret_cast<std::byte*>(b) == 128);
  CHECK(scratch.take<std::int8_t>(1) == nullptr);
}

TEST_CASE("memory that is not aligned loses its first bytes, not its alignment") {
  alignas(64) std::byte memory[256];
  CHECK(workspace(memory + 1, 255).take<std::int8_t>(193) == nullptr);
  CHECK(workspace(memory + 1, 255).take<std::int8_t>(192) != nullptr);
  workspace scratch(memory + 1, 255);
  const float* a = scratch.take<float>(16);
  CHECK(reinterpret_cast<const std::byte*>(a) == memory + 64);
  CHECK(scratch.size() == 128);
  CHECK(scratch.take<float>(33) == nullptr);
  CHECK(scratch.size() == 128);  // a request that fails takes nothing
  CHECK(scratch.take<float>(32) != nullptr);
}

TEST_CASE("the last piece need not fill a cache line") {
  alignas(64) std::byte memory[70];
  workspace scratch(memory);
  CHECK(scratch.take<std::int8_t>(1) != nullptr);
  CHECK(scratch.take<std::int8_t>(6) != nullptr);
  CHECK(scratch.size() == 0);
}

TEST_CASE("too little, nothing and impossible sizes give null") {
  workspace none;
  CHECK(none.size() == 0);
  CHECK(none.take<float>(1) == nullptr);
  alignas(64) std::byte memory[128];
  workspace scratch(memory);
  CHECK(scratch.take<float>(33) == nullptr);
  CHECK(scratch.take<double>(pare::detail::max_index / 4) == nullptr);
  CHECK(scratch.take<double>(pare::detail::max_index) == nullptr);
  CHECK(scratch.take<float>(-1) == nullptr);
  CHECK(scratch.data() == memory);
  CHECK(scratch.size() == 128);
}
