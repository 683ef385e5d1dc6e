# tributary_library(name SOURCES ... PUBLIC_HEADERS ... LINK ... PRIVATE_LINK ...): one static library
# per folder. PUBLIC_HEADERS, below the folder's include/, are what services include as
# <tributary/...> and what is installed; everything else is ours alone.
function(tributary_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC_HEADERS;LINK;PRIVATE_LINK" ${ARGN})
  add_library(tributary_${name} STATIC ${ARG_SOURCES})
  add_library(Tributary::${name} ALIAS tributary_${name})
  set_target_properties(tributary_${name} PROPERTIES EXPORT_NAME ${name})
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
