// The solver against all combinations there are.
#include <pare/quantize/bit_allocation.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::bit_choice;
using pare::index_t;
using pare::status;

namespace {

pare::tensor<bit_choice, 2> random_choices(index_t layers, index_t options, std::uint32_t seed) {
  pare_test::random_source random(seed);
  pare::tensor<bit_choice, 2> choices({layers, options});
  for (bit_choice& c : choices) {
    c.bytes = static_cast<index_t>(random.integer(0, 50));
    c.error = random.uniform();
  }
  return choices;
}

/// The least error of all combinations within the budget; negative where there is none.
double search(const pare::tensor<bit_choice, 2>& choices, index_t budget) {
  const index_t layers = choices.extent(0), options = choices.extent(1);
  index_t combinations = 1;
  for (index_t l = 0; l < layers; ++l) combinations *= options;
  double least = -1;
  for (index_t c = 0; c < combinations; ++c) {
    index_t bytes = 0, rest = c;
    double error = 0;
    for (index_t l = 0; l < layers; ++l, rest /= options) {
      bytes += choices(l, rest % options).bytes;
      error += choices(l, rest % options).error;
    }
    if (bytes <= budget && (least < 0 || error < least)) least = error;
  }
  return least;
}

}  // namespace

TEST_CASE("no combination within the budget has less error") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const auto choices = random_choices(1 + seed % 5, 1 + seed % 4, seed);
    for (const index_t budget : {0, 20, 60, 100, 1000}) {
      CAPTURE(seed);
      CAPTURE(budget);
      const double expected = search(choices, budget);
      const auto best = pare::allocate_bits(choices.view(), budget);
      if (expected < 0) {
        CHECK(best == status::out_of_range);
        continue;
      }
      REQUIRE(best);
      CHECK(best->error == doctest::Approx(expected).epsilon(1e-9));
      CHECK(best->bytes <= budget);
      index_t bytes = 0;
      double error = 0;
      for (index_t l = 0; l < choices.extent(0); ++l) {
        bytes += choices(l, best->choices(l)).bytes;
        error += choices(l, best->choices(l)).error;
      }
      CHECK(bytes == best->bytes);
      CHECK(error == doctest::Approx(best->error));
    }
  }
}

TEST_CASE("a hundred layers take no time") {
  auto choices = random_choices(100, 7, 1);
  for (bit_choice& c : choices) c.bytes = c.bytes * 100003 + 17;
  const auto best = pare::allocate_bits(choices.view(), 100 * 15 * 100003).value();
  CHECK(best.bytes <= 100 * 15 * 100003);
  CHECK(best.error < 20);
}

TEST_CASE("of equal errors the fewer bytes are taken") {
  bit_choice choices[] = {{8, 10, 1.0}, {4, 5, 1.0}, {2, 7, 1.0}};
  CHECK(pare::allocate_bits(pare::view(choices, 1, 3), 100)->choices(0) == 1);
  choices[1].error = 0;
  choices[2].error = 0;
  CHECK(pare::allocate_bits(pare::view(choices, 1, 3), 100)->bytes == 5);
}

TEST_CASE("what allocate_bits refuses") {
  bit_choice choices[] = {{8, 10, 1.0}, {4, 5, 2.0}};
  const auto allocate = [&](index_t budget) {
    return pare::allocate_bits(pare::view(choices, 1, 2), budget);
  };
  CHECK(pare::allocate_bits(pare::view(choices, 0, 2), 10) == status::empty);
  CHECK(allocate(4) == status::out_of_range);
  CHECK(allocate(-1) == status::out_of_range);
  choices[1].error = std::numeric_limits<double>::quiet_NaN();
  CHECK(allocate(10) == status::non_finite);
  choices[1].error = -1;
  CHECK(allocate(10) == status::out_of_range);
  choices[1].error = 1;
  choices[1].bytes = PTRDIFF_MAX;
  CHECK(allocate(10) == status::overflow);
  choices[1].bytes = 1;
  choices[0].error = choices[1].error = std::numeric_limits<double>::max();
  CHECK(allocate(10) == status::overflow);
}
