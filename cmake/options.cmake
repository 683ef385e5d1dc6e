# Compiler settings shared by every target: C++20, warnings as errors, and the hardening flags of
# the OpenSSF compiler guide that g++ 12 has. ccache is used when it is there.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(TRIBUTARY_CCACHE ccache)
if(TRIBUTARY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TRIBUTARY_CCACHE})
endif()

add_library(tributary_flags INTERFACE)
target_compile_options(tributary_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow=local -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wformat=2 -Wimplicit-fallthrough -Wundef
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-delete-null-pointer-checks -fno-strict-overflow)
target_compile_definitions(tributary_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(tributary_flags INTERFACE
  -Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

set(TRIBUTARY_SANITIZER "" CACHE STRING "address (with undefined) or thread")
if(TRIBUTARY_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TRIBUTARY_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  target_compile_definitions(tributary_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()

# Every source says <tributary/folder/file.h>, in the tree as after installation.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
file(CREATE_LINK ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/include/tributary SYMBOLIC)
