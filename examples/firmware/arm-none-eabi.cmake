# A CMake toolchain for bare Cortex-M: -DCMAKE_TOOLCHAIN_FILE=arm-none-eabi.cmake -DCORE=m4 or m55.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CORE)

set(CORE m4 CACHE STRING "The processor: m4 (mps2-an386) or m55 (mps3-an547)")
if(CORE STREQUAL m4)
  set(CMAKE_CXX_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16")
  set(PARE_BOARD mps2-an386)
elseif(CORE STREQUAL m55)
  set(CMAKE_CXX_FLAGS_INIT "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard")
  set(PARE_BOARD mps3-an547)
else()
  message(FATAL_ERROR "CORE is m4 or m55, not ${CORE}")
endif()
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nano.specs -nostartfiles -Wl,--gc-sections")
set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Os -DNDEBUG")

# What executables run on: semihosting opens files where it is started.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-system-arm -M ${PARE_BOARD} -nographic -monitor none
    -serial null -semihosting-config enable=on,target=native -kernel)
