# Debian's cross compiler for 64-bit ARM; programs are static and run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

# The processor to pretend to be: `max,sve=off` has dotprod and i8mm, `cortex-a53` neither.
set(PARE_QEMU_CPU "max,sve=off" CACHE STRING "The processor that qemu-aarch64 emulates")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu "${PARE_QEMU_CPU}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
