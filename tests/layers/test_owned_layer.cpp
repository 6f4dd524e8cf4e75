// What all owning layers share: moves keep the memory, copies do not exist, errors come back.
#include <pare/layers/owned_layer.hpp>

#include <type_traits>

#include <doctest/doctest.h>

namespace {

struct view_of_bytes {
  const std::byte* first = nullptr;
};
using layer = pare::owned_layer<view_of_bytes>;

}  // namespace

TEST_CASE("an owned layer moves with its memory and is not copied") {
  static_assert(!std::is_copy_constructible_v<layer> && !std::is_copy_assignable_v<layer>);
  static_assert(std::is_nothrow_move_constructible_v<layer>);
  auto first =
      pare::detail::pack_into_own_memory<layer>(pare::index_t{100}, [](pare::workspace memory) {
        return pare::result<view_of_bytes>({memory.take<std::byte>(100)});
      }).value();
  const std::byte* at = first.view().first;
  REQUIRE(at != nullptr);
  const layer second = std::move(first);
  CHECK(second.view().first == at);
  CHECK(static_cast<const view_of_bytes&>(second).first == at);
  CHECK(second.packed_bytes() == 100);
}

TEST_CASE("errors of the size and of packing come back") {
  const auto pack = [](pare::workspace) {
    return pare::result<view_of_bytes>({pare::status_code::shape_mismatch, "no", "w"});
  };
  CHECK(pare::detail::pack_into_own_memory<layer>(pare::index_t{8}, pack) ==
        pare::status::shape_mismatch);
  const pare::result<pare::index_t> too_large{pare::status_code::overflow, "too large", "w"};
  CHECK(pare::detail::pack_into_own_memory<layer>(too_large, pack) == pare::status::overflow);
}
