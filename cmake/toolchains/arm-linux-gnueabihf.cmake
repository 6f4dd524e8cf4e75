# Debian's cross compiler for 32-bit ARM (Armv7-A with an FPU, without NEON unless flags ask for it);
# programs are static and run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
# GCC's note that one way of passing arguments has changed in version 7 is of no use here.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

# The processor to pretend to be.
set(PARE_QEMU_CPU "cortex-a15" CACHE STRING "The processor that qemu-arm emulates")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -cpu "${PARE_QEMU_CPU}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
