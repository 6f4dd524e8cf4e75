// Runs a test on every instruction set that this machine has, and puts the choice back afterwards.
#ifndef PARE_TESTS_SUPPORT_ISAS_HPP
#define PARE_TESTS_SUPPORT_ISAS_HPP

#include <pare/kernels/isa.hpp>

#include <doctest/doctest.h>

namespace pare_test {

/// f(isa) with that instruction set active, for each one the machine can run, scalar first.
template <class F>
void for_each_isa(F f) {
  const pare::isa before = pare::active_isa();
  for (const pare::isa i : pare::all_isas) {
    if (!pare::is_supported(i)) continue;
    CHECK(pare::set_active_isa(i) == pare::status::ok);
    CAPTURE(pare::name(i));
    f(i);
  }
  CHECK(pare::set_active_isa(before) == pare::status::ok);
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_ISAS_HPP
