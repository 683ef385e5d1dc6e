# `cmake --install build/release --prefix X`: the program, and for services the producer libraries
# with their headers, a CMake package (find_package(Tributary)) and pkg-config files.
include(CMakePackageConfigHelpers)

set(TRIBUTARY_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Tributary)

# One export per component, so that a service on SQLite needs no libpq, and the other way round. The
# public headers of the targets come along.
function(tributary_install_component component)
  foreach(target ${ARGN})
    get_target_property(sets ${target} HEADER_SETS)
    set(headers)
    if(sets)
      set(headers FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endif()
    install(TARGETS ${target} EXPORT Tributary-${component}
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${headers})
  endforeach()
  install(EXPORT Tributary-${component} NAMESPACE Tributary:: FILE Tributary-${component}.cmake
          DESTINATION ${TRIBUTARY_CMAKE_DIR})
endfunction()
tributary_install_component(outbox tributary_base tributary_crdt tributary_outbox)
foreach(database postgres sqlite)
  if(TARGET tributary_${database})
    tributary_install_component(${database} tributary_${database})
  endif()
endforeach()
if(TRIBUTARY_PROGRAM)
  install(TARGETS tributary RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(
  cmake/TributaryConfig.cmake.in ${PROJECT_BINARY_DIR}/TributaryConfig.cmake
  INSTALL_DESTINATION ${TRIBUTARY_CMAKE_DIR}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/TributaryConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TributaryConfig.cmake
              ${PROJECT_BINARY_DIR}/TributaryConfigVersion.cmake
        DESTINATION ${TRIBUTARY_CMAKE_DIR})

# Relative to the .pc file, so that the prefix may be chosen, or moved, after the build.
file(RELATIVE_PATH TRIBUTARY_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" TRIBUTARY_PC_PREFIX "${TRIBUTARY_PC_PREFIX}")
foreach(package tributary tributary-postgres tributary-sqlite)
  configure_file(cmake/${package}.pc.in ${PROJECT_BINARY_DIR}/${package}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${package}.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
