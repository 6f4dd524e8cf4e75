# Settings of this project's own executables. Users of the library get none of them.
include_guard(GLOBAL)

find_package(Threads REQUIRED)

# C++17 unless CMAKE_CXX_STANDARD says otherwise, without extensions, with warnings.
function(pare_own_target target)
  pare_own_target_without_host(${target})
  target_link_libraries(${target} PRIVATE pare::pare Threads::Threads)
endfunction()

# The same for the tests, with warnings that are too strict for the arithmetic of a benchmark.
function(pare_own_test target)
  pare_own_target(${target})
  pare_warn_of_conversions(${target})
endfunction()

function(pare_warn_of_conversions target)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE -Wconversion -Wno-sign-conversion)
  endif()
endfunction()

# The same for a target that links pare::inference.
function(pare_own_target_without_host target)
  if(NOT CMAKE_CXX_STANDARD)
    set_target_properties(${target} PROPERTIES CXX_STANDARD 17)
  endif()
  set_target_properties(${target} PROPERTIES CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
    if(PARE_WARNINGS_AS_ERRORS)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
  elseif(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive-)
    if(PARE_WARNINGS_AS_ERRORS)
      target_compile_options(${target} PRIVATE /WX)
    endif()
  endif()
endfunction()

# Eigen has the instruction set that its translation unit is compiled for. Where it is compared with
# the library's kernels, which choose theirs at run time, it gets all that this machine has.
include(CheckCXXCompilerFlag)
if(NOT CMAKE_CROSSCOMPILING)
  check_cxx_compiler_flag(-march=native PARE_HAS_MARCH_NATIVE)
endif()
if(PARE_HAS_MARCH_NATIVE)
  set(pare_eigen_options -O3 -march=native)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 11 to 13 warn about their own AVX-512 intrinsics (GCC bug 105593).
    list(APPEND pare_eigen_options -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
endif()
