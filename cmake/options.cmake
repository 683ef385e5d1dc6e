# Compiler settings. Ours alone: nothing here reaches the targets of a project that takes Tributary
# in, nor its variables.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_UNITY_BUILD OFF)  # names in anonymous namespaces are a file's own

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(TRIBUTARY_CCACHE ccache)
  if(TRIBUTARY_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${TRIBUTARY_CCACHE})
  endif()
endif()

# What our libraries are compiled with: warnings, and the hardening flags of the OpenSSF compiler
# guide that g++ 12 has. Below another project its own flags count.
add_library(tributary_compile_flags INTERFACE)
# Our own sources include by path from the root. Who links us sees the public headers alone.
target_include_directories(tributary_compile_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(PROJECT_IS_TOP_LEVEL)
  include(CheckCXXCompilerFlag)
  target_compile_options(tributary_compile_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow=local -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Wformat=2 -Wimplicit-fallthrough -Wundef
    -fstack-protector-strong -fno-delete-null-pointer-checks -fno-strict-overflow)
  foreach(flag fstack-clash-protection fcf-protection=full)  # not on every processor
    string(MAKE_C_IDENTIFIER "TRIBUTARY_HAS_${flag}" known)
    check_cxx_compiler_flag(-${flag} ${known})
    if(${known})
      target_compile_options(tributary_compile_flags INTERFACE -${flag})
    endif()
  endforeach()
  target_compile_definitions(tributary_compile_flags INTERFACE _GLIBCXX_ASSERTIONS)
elseif(NOT TRIBUTARY_WERROR)
  # Its warnings, which may be errors, are for its own sources.
  target_compile_options(tributary_compile_flags INTERFACE -w)
endif()
if(TRIBUTARY_WERROR)
  target_compile_options(tributary_compile_flags INTERFACE -Werror)
endif()

# What our own programs are built with; the link options would reach whoever links a library.
add_library(tributary_flags INTERFACE)
target_link_libraries(tributary_flags INTERFACE tributary_compile_flags)
target_link_options(tributary_flags INTERFACE
  -Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

set(TRIBUTARY_SANITIZER "" CACHE STRING "address (with undefined) or thread")
if(TRIBUTARY_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TRIBUTARY_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(PROJECT_IS_TOP_LEVEL)
  target_compile_definitions(tributary_compile_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
