// The machine: its name, and what its instructions and caches can do at the most, measured.
#ifndef PARE_BENCHMARKS_SUPPORT_MACHINE_HPP
#define PARE_BENCHMARKS_SUPPORT_MACHINE_HPP

#include <pare/kernels/isa.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "suite.hpp"

namespace pare_bench {

/// Processor and cores.
std::string machine_description();
/// Compiler, version and flags of this program.
std::string compiler_description();

/// The instruction sets to measure: the best one, the one of --isa, or all that the machine has.
/// Ends the program where it cannot run the one that was asked for.
std::vector<pare::isa> isas_to_measure(const options& o);

/// A register loop of the instructions that multiply 8-bit integers on `isa`, without any memory
/// access: the most operations per second (a multiply and an add are two) that a kernel could
/// reach.
struct dot_product_limit {
  double operations_per_call = 0;  ///< 0: not known for this instruction set
  void (*run)() = nullptr;
};
dot_product_limit dot_product_limit_of(pare::isa isa);

/// Reads `bytes` bytes (rounded down to 512) as fast as loads can: the bound of a product that uses
/// each weight once.
void read_all(pare::isa isa, const void* data, std::size_t bytes);

}  // namespace pare_bench

#endif  // PARE_BENCHMARKS_SUPPORT_MACHINE_HPP
