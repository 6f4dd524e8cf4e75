# Where Eigen, xsimd, doctest and Google Benchmark come from. For each, in this order:
#
#   1. a target that the including project already has,
#   2. PARE_<NAME>_INCLUDE_DIR, for a copy of the headers without a CMake package,
#   3. the system, by find_package,
#   4. a pinned release, downloaded at configure time, unless PARE_FETCH_DEPENDENCIES is OFF.
include_guard(GLOBAL)
include(FetchContent)

# pare_provide(NAME Eigen PACKAGE Eigen3 TARGET Eigen3::Eigen VERSIONS 3.4 5
#              RELEASE 3.4.0 URL <archive> SHA256 <of the archive>
#              INCLUDE_SUBDIR <where the headers are in the archive> | BUILD)
#
# Afterwards TARGET exists and is visible everywhere. VERSIONS: the oldest that will do, then later
# major versions, because most packages say that another major version never fits. BUILD: the
# archive is a project to be built; otherwise only its headers are used.
function(pare_provide)
  cmake_parse_arguments(PARSE_ARGV 0 arg "BUILD"
                        "NAME;PACKAGE;TARGET;RELEASE;URL;SHA256;INCLUDE_SUBDIR" "VERSIONS")
  string(TOUPPER "${arg_NAME}" upper)
  list(GET arg_VERSIONS 0 oldest)

  if(TARGET ${arg_TARGET})
    message(STATUS "pare: ${arg_NAME}: the target ${arg_TARGET} of the including project")
    return()
  endif()

  if(PARE_${upper}_INCLUDE_DIR)
    pare_add_headers(${arg_TARGET} "${PARE_${upper}_INCLUDE_DIR}")
    message(STATUS "pare: ${arg_NAME}: ${PARE_${upper}_INCLUDE_DIR}, as PARE_${upper}_INCLUDE_DIR says")
    return()
  endif()

  foreach(version IN LISTS arg_VERSIONS)
    find_package(${arg_PACKAGE} ${version} CONFIG QUIET)
    if(${arg_PACKAGE}_FOUND)
      pare_make_global(${arg_TARGET})
      message(STATUS "pare: ${arg_NAME}: ${${arg_PACKAGE}_VERSION} in ${${arg_PACKAGE}_DIR}")
      return()
    endif()
  endforeach()

  if(NOT PARE_FETCH_DEPENDENCIES)
    message(FATAL_ERROR
            "pare: ${arg_NAME} ${oldest} or newer was not found. Install it and set "
            "${arg_PACKAGE}_DIR or CMAKE_PREFIX_PATH where it is in an unusual place, name a folder "
            "with its headers in PARE_${upper}_INCLUDE_DIR, or allow the download of "
            "${arg_RELEASE} with PARE_FETCH_DEPENDENCIES=ON. pare::inference alone needs none of "
            "this: PARE_HOST=OFF.")
  endif()

  message(STATUS "pare: ${arg_NAME}: ${oldest} or newer is not on this system, so ${arg_RELEASE} from ${arg_URL}")
  if(POLICY CMP0135)
    cmake_policy(SET CMP0135 NEW)
  endif()
  string(TOLOWER "pare_${arg_NAME}" content)
  if(arg_BUILD)
    FetchContent_Declare(${content} URL "${arg_URL}" URL_HASH SHA256=${arg_SHA256})
    FetchContent_MakeAvailable(${content})
  else()
    # A folder without a CMakeLists.txt: unpacked, but not added to the build.
    FetchContent_Declare(${content} URL "${arg_URL}" URL_HASH SHA256=${arg_SHA256}
                         SOURCE_SUBDIR headers-only)
    FetchContent_MakeAvailable(${content})
    pare_add_headers(${arg_TARGET} "${${content}_SOURCE_DIR}/${arg_INCLUDE_SUBDIR}")
  endif()
endfunction()

# An imported target for a folder of headers, so that an installed pare names it and does not
# contain it.
function(pare_add_headers target include_dir)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
endfunction()

# Targets of find_package are seen in one directory only, but whoever adds pare as a subdirectory
# links to them through pare::pare.
function(pare_make_global target)
  get_target_property(aliased ${target} ALIASED_TARGET)
  if(aliased)
    set(target ${aliased})
  endif()
  get_target_property(imported ${target} IMPORTED)
  get_target_property(global ${target} IMPORTED_GLOBAL)
  if(imported AND NOT global)
    set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endfunction()

function(pare_provide_eigen)
  pare_provide(
    NAME Eigen PACKAGE Eigen3 TARGET Eigen3::Eigen VERSIONS 3.4 5 RELEASE 3.4.0
    URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
    SHA256 8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
endfunction()

function(pare_provide_xsimd)
  pare_provide(
    NAME xsimd PACKAGE xsimd TARGET xsimd VERSIONS 8.1 9 10 11 12 13 14 RELEASE 8.1.0
    URL https://github.com/xtensor-stack/xsimd/archive/8.1.0.tar.gz
    SHA256 d52551360d37709675237d2a0418e28f70995b5b7cdad7c674626bcfbbf48328
    INCLUDE_SUBDIR include)
  # The headers alone, as pare::xsimd. Where xsimd was installed with support for xtl (Debian 12), its
  # target links xtl, even for those who have none.
  if(NOT TARGET pare::xsimd)
    pare_add_headers(pare::xsimd "$<TARGET_PROPERTY:xsimd,INTERFACE_INCLUDE_DIRECTORIES>")
  endif()
endfunction()

function(pare_provide_doctest)
  pare_provide(
    NAME doctest PACKAGE doctest TARGET doctest::doctest VERSIONS 2.4.9 RELEASE 2.4.11
    URL https://github.com/doctest/doctest/archive/refs/tags/v2.4.11.tar.gz
    SHA256 632ed2c05a7f53fa961381497bf8069093f0d6628c5f26286161fbd32a560186)
endfunction()

function(pare_provide_benchmark)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
  pare_provide(
    NAME benchmark PACKAGE benchmark TARGET benchmark::benchmark VERSIONS 1.7 RELEASE 1.7.1 BUILD
    URL https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
    SHA256 6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7)
endfunction()
