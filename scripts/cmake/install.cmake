# Installs the library with its headers, a pkg-config file and a CMake package. Programs install themselves.
include(CMakePackageConfigHelpers)
set_target_properties(adass PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/adass)

install(TARGETS adass EXPORT adass-targets)
foreach(part kernels datasets search)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${part}/include/adass DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()

# A static library leaves its own dependencies to whoever links it; a shared one has them inside.
get_target_property(type adass TYPE)
if(type STREQUAL "STATIC_LIBRARY")
  set(static TRUE)
  set(pc_requires "Requires: hwloc jansson libxxhash zlib libzstd liblzma")
  set(pc_libs "-ldnnl ${OpenMP_C_FLAGS} -lm")
else()
  set(static FALSE)
  set(pc_requires "")
  set(pc_libs "")
endif()

set(templates ${CMAKE_CURRENT_LIST_DIR})
set(package ${CMAKE_CURRENT_BINARY_DIR}/package)
configure_package_config_file(${templates}/adass-config.cmake.in ${package}/adass-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${package}/adass-config-version.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(${templates}/adass.pc.in ${package}/adass.pc @ONLY)

install(EXPORT adass-targets NAMESPACE adass:: DESTINATION ${package_dir})
install(FILES
  ${package}/adass-config.cmake
  ${package}/adass-config-version.cmake
  ${templates}/FindOneDNN.cmake
  DESTINATION ${package_dir})
install(FILES ${package}/adass.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
