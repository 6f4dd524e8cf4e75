# Installs the headers and a package for find_package(pare).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(pare_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/pare")

install(DIRECTORY include/pare DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING
        PATTERN "*.hpp")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/pare")

# Two sets, so that pare::inference is there without Eigen and xsimd.
install(TARGETS pare_inference EXPORT pare_inference_targets INCLUDES
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT pare_inference_targets NAMESPACE pare:: FILE pareInferenceTargets.cmake
        DESTINATION "${pare_package_dir}")
if(PARE_HOST)
  install(TARGETS pare EXPORT pare_host_targets)
  install(EXPORT pare_host_targets NAMESPACE pare:: FILE pareHostTargets.cmake
          DESTINATION "${pare_package_dir}")
endif()

configure_package_config_file(cmake/pareConfig.cmake.in pareConfig.cmake
                              INSTALL_DESTINATION "${pare_package_dir}"
                              NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(pareConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/pareConfig.cmake" "${PROJECT_BINARY_DIR}/pareConfigVersion.cmake"
        DESTINATION "${pare_package_dir}")
