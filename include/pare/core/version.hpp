// The version of the library, as numbers the preprocessor can compare. Versions follow semver.org.
#ifndef PARE_CORE_VERSION_HPP
#define PARE_CORE_VERSION_HPP

#define PARE_VERSION_MAJOR 0
#define PARE_VERSION_MINOR 1
#define PARE_VERSION_PATCH 0

/// "0.1.0"
#define PARE_VERSION_STRING "0.1.0"

#endif  // PARE_CORE_VERSION_HPP
