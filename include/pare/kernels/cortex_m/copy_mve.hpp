// Copies of some ten bytes with Helium: three instructions for sixteen of them, where memcpy takes as
// many to begin.
#ifndef PARE_KERNELS_CORTEX_M_COPY_MVE_HPP
#define PARE_KERNELS_CORTEX_M_COPY_MVE_HPP

#include <pare/core/config.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {

/// As memcpy, for `count` of 0 or more.
PARE_ALWAYS_INLINE void copy_bytes(void* to, const void* from, index_t count) noexcept {
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n\t"
      "1:\n\t"
      "vldrb.8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:"
      : [from] "+r"(from), [to] "+r"(to)
      : [count] "r"(count)
      : "lr", "q0", "memory");
}

}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_COPY_MVE_HPP
