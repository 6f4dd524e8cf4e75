// Where the examples find their pictures.
#ifndef PARE_EXAMPLES_DEMO_DATA_FOLDER_HPP
#define PARE_EXAMPLES_DEMO_DATA_FOLDER_HPP

#include <cstdio>
#include <filesystem>
#include <string>

// The build says where the digits are.
#ifndef PARE_DEMO_DIGITS
#define PARE_DEMO_DIGITS "examples/data"
#endif

namespace demo {

/// The folder that was asked for, or the best that is here.
inline std::string data_folder(const std::string& wanted) {
  const char* debian = "/usr/share/datasets/fashion-mnist";
  if (!wanted.empty()) return wanted;
  if (std::filesystem::exists(debian)) return debian;
  std::printf(
      "Fashion-MNIST is not here, so these are 8x8 digits, a small task. On Debian:\n"
      "apt-get install dataset-fashion-mnist; elsewhere: --data DIR\n\n");
  return PARE_DEMO_DIGITS;
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_DATA_FOLDER_HPP
