# tributary_library(name [INSTALLED] SOURCES ... PUBLIC_HEADERS ... LINK ... PRIVATE_LINK ...): one
# library per folder. INSTALLED is what services link: static, or shared if BUILD_SHARED_LIBS says
# so; the others are static. PUBLIC_HEADERS, below the folder's include/, are what services include
# as <tributary/...> and what is installed; everything else is ours alone.
function(tributary_library name)
  cmake_parse_arguments(ARG "INSTALLED" "" "SOURCES;PUBLIC_HEADERS;LINK;PRIVATE_LINK" ${ARGN})
  set(kind STATIC)
  if(ARG_INSTALLED)
    set(kind)
  endif()
  add_library(tributary_${name} ${kind} ${ARG_SOURCES})
  add_library(Tributary::${name} ALIAS tributary_${name})
  set_target_properties(tributary_${name} PROPERTIES EXPORT_NAME ${name})
  if(ARG_INSTALLED)
    # Before 1.0 a minor version may break. Symbols are visible, whatever a parent hides of its own.
    set_target_properties(tributary_${name} PROPERTIES
      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
      CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF
      INSTALL_RPATH $ORIGIN)
  endif()
  if(ARG_PUBLIC_HEADERS)
    target_sources(tributary_${name}
      PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ARG_PUBLIC_HEADERS})
  endif()
  target_link_libraries(tributary_${name}
    PUBLIC ${ARG_LINK}
    PRIVATE ${ARG_PRIVATE_LINK} $<BUILD_INTERFACE:tributary_compile_flags>)
  target_compile_features(tributary_${name} PUBLIC cxx_std_20)
  if(NOT PROJECT_IS_TOP_LEVEL)  # as after an installation: a parent's warnings spare the headers
    set_target_properties(tributary_${name} PROPERTIES SYSTEM ON)
  endif()
endfunction()
