// All kernels, once: see PARE_SEPARATE_KERNELS in pare/core/config.hpp.
#define PARE_COMPILE_KERNELS
#include <pare/inference.hpp>
