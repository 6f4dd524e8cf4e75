// The host tier in a translation unit of its own; check.py takes the compiler's flags from here.
#include <pare/pare.hpp>
