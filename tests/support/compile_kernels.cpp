// All kernels, once, for tests that are built with PARE_SEPARATE_KERNELS.
#define PARE_COMPILE_KERNELS
#include <pare/inference.hpp>
