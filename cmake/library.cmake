# tributary_library(name SOURCES ... LINK ... PRIVATE_LINK ...): one static library per folder.
function(tributary_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(tributary_${name} STATIC ${ARG_SOURCES})
  add_library(Tributary::${name} ALIAS tributary_${name})
  set_target_properties(tributary_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(tributary_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(tributary_${name}
    PUBLIC ${ARG_LINK}
    PRIVATE ${ARG_PRIVATE_LINK} $<BUILD_INTERFACE:tributary_compile_flags>)
  target_compile_features(tributary_${name} PUBLIC cxx_std_20)
  if(NOT PROJECT_IS_TOP_LEVEL)  # as after an installation: a parent's warnings spare the headers
    set_target_properties(tributary_${name} PROPERTIES SYSTEM ON)
  endif()
endfunction()
