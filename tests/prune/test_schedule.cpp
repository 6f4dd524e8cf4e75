// Schedules of sparsity.
#include <pare/prune/schedule.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"

namespace {

using pare::index_t;
using pare::pace;
using pare::pruning_schedule;
using pare::status;

pruning_schedule schedule(pace by) {
  pruning_schedule s;
  s.first = 0.2;
  s.last = 0.8;
  s.begin = 10;
  s.end = 110;
  s.every = 10;
  s.by = by;
  return s;
}

double at(pace by, index_t step) { return pare::sparsity_at(schedule(by), step).value(); }

}  // namespace

TEST_CASE("every pace begins at the first and ends at the last sparsity") {
  for (const pace by : {pace::constant, pace::cubic, pace::iterated}) {
    CAPTURE(static_cast<int>(by));
    CHECK(at(by, 0) == 0.2);
    CHECK(at(by, 10) == doctest::Approx(0.2).epsilon(1e-12));
    CHECK(at(by, 110) == 0.8);
    CHECK(at(by, 1000) == 0.8);
  }
}

TEST_CASE("half way") {
  CHECK(at(pace::constant, 60) == doctest::Approx(0.5));
  CHECK(at(pace::cubic, 60) == doctest::Approx(0.8 - 0.6 / 8));
  CHECK(at(pace::iterated, 60) == doctest::Approx(1 - 0.8 * 0.5));  // half, then half again
  CHECK(at(pace::one_shot, 9) == 0.2);
  CHECK(at(pace::one_shot, 10) == 0.8);
}

TEST_CASE("between pruning steps nothing changes") {
  CHECK(at(pace::cubic, 69) == at(pace::cubic, 60));
  const auto s = schedule(pace::cubic);
  CHECK(pare::prunes_at(s, 60));
  CHECK_FALSE(pare::prunes_at(s, 65));
  CHECK_FALSE(pare::prunes_at(s, 0));
  CHECK_FALSE(pare::prunes_at(s, 120));
  CHECK(pare::prunes_at(schedule(pace::one_shot), 10));
  CHECK_FALSE(pare::prunes_at(schedule(pace::one_shot), 20));
}

TEST_CASE("the last step prunes, also where it is not a multiple") {
  auto s = schedule(pace::cubic);
  s.end = 115;
  CHECK(pare::prunes_at(s, 115));
  CHECK(pare::sparsity_at(s, 115).value() == 0.8);
}

TEST_CASE("the amount that reaches a sparsity counts what is pruned already") {
  std::uint8_t mask[] = {1, 0, 1, 1, 0, 1, 1, 1, 1, 1};
  const auto m = pare::view(mask);
  CHECK(pare::amount_to_reach(0.5, m).value().of(8).value() == 3);
  CHECK(pare::amount_to_reach(0.1, m).value().of(8).value() == 0);
  CHECK(pare::amount_to_reach(1.0, m).value().of(8).value() == 8);
}

TEST_CASE("schedules that contradict themselves are errors") {
  auto s = schedule(pace::cubic);
  SUBCASE("sparsity that falls") { s.first = 0.9; }
  SUBCASE("sparsity above one") { s.last = 1.5; }
  SUBCASE("sparsity that is no number") { s.last = std::numeric_limits<double>::quiet_NaN(); }
  SUBCASE("an end before the beginning") { s.end = 9; }
  SUBCASE("no steps") { s.every = 0; }
  CHECK(pare::sparsity_at(s, 60) == status::invalid_argument);
  CHECK(pare::amount_to_reach(1.5, 1, 2) == status::invalid_argument);
  CHECK(pare::amount_to_reach(0.5, 3, 2) == status::invalid_argument);
}
