// Operators without weights at the shapes of run.py, each in a region of its own.
#include <pare/kernels/add.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/kernels/table.hpp>

#include "board.hpp"

namespace {

using pare::index_t;

alignas(4) std::int8_t inputs[2][16 * 16 * 32], outputs[16 * 16 * 32];

template <class T, class... Extents>
pare::tensor_view<T, pare::dextents<index_t, sizeof...(Extents)>> view(T* data,
                                                                       Extents... extents) {
  return pare::tensor_view<T, pare::dextents<index_t, sizeof...(Extents)>>(data, extents...);
}
using code = std::int8_t;

auto rows(int which, index_t count, index_t columns) {
  return view<const code>(inputs[which], count, columns);
}
auto out_rows(index_t count, index_t columns) { return view<code>(outputs, count, columns); }
auto images(index_t size) {
  return view<const code>(inputs[0], index_t{1}, size, size, index_t{32});
}
auto out_images(index_t size) { return view<code>(outputs, index_t{1}, size, size, index_t{32}); }

}  // namespace

int main() {
  board::random random(1);
  for (auto& of : inputs) {
    for (std::int8_t& x : of) x = std::int8_t(random.between(-128, 127));
  }
  const auto softmax = *pare::make_softmax_params(0.1f);
  COUNT_BEGIN(0);
  CHECK(pare::softmax(rows(0, 1, 10), softmax, out_rows(1, 10)));
  COUNT_END(0);
  COUNT_BEGIN(1);
  CHECK(pare::max_pool(images(16), {2, 2, 2, 2}, out_images(8)));
  COUNT_END(1);
  COUNT_BEGIN(2);
  CHECK(pare::average_pool(images(16), {2, 2, 2, 2}, out_images(8)));
  COUNT_END(2);
  const auto average = *pare::make_global_average_pool_params<std::int8_t>({0.1f, 3}, {0.1f, 3});
  COUNT_BEGIN(3);
  CHECK(pare::global_average_pool(images(16), average, out_rows(1, 32)));
  COUNT_END(3);
  const auto add = *pare::make_add_params<std::int8_t>({0.1f, 3}, {0.05f, -2}, {0.12f, 1});
  COUNT_BEGIN(4);
  CHECK(pare::add(rows(0, 256, 32), rows(1, 256, 32), add, out_rows(256, 32)));
  COUNT_END(4);
  pare::code_table<std::int8_t> table;
  for (int i = 0; i < 256; ++i) table.codes[i] = std::int8_t(255 - i);
  COUNT_BEGIN(5);
  CHECK(pare::apply_table(rows(0, 256, 32), table, out_rows(256, 32)));
  COUNT_END(5);
  return 0;
}
