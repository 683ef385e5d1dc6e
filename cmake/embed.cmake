# tributary_embed(name FILE...): the text of each FILE, as tables.sql, as a constant of C++,
# embedded::kTablesSql, in the header "folder/tables.sql.h" that only this library sees. The comment
# that a file begins with is left out. @NEAR_OVERFLOW@ and @MAX_HLC_MICROS@ are as in C++.
function(tributary_embed name)
  tributary_constant(outbox/include/tributary/outbox/transaction.h
    "kNearOverflow = std::int64_t{1} << ([0-9]+);" shift)
  math(EXPR NEAR_OVERFLOW "1 << ${shift}")
  tributary_constant(crdt/include/tributary/crdt/hlc.h
    "kMaxHlc = Hlc::from_micros\\(([0-9']+)\\);" MAX_HLC_MICROS)
  string(REPLACE "'" "" MAX_HLC_MICROS "${MAX_HLC_MICROS}")

  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(REGEX REPLACE "^(--[^\n]*\n)+\n" "" text "${text}")
    string(REGEX REPLACE "[._]" ";" words ${file})
    set(constant k)
    foreach(word ${words})
      string(SUBSTRING ${word} 0 1 first)
      string(SUBSTRING ${word} 1 -1 rest)
      string(TOUPPER ${first} first)
      string(APPEND constant ${first}${rest})
    endforeach()
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${file}.h @ONLY CONTENT
"// Made from ${folder}/${file}.
#pragma once

#include <string_view>

namespace tributary::embedded {

constexpr std::string_view ${constant} = R\"embedded(
${text})embedded\";

}  // namespace tributary::embedded
")
  endforeach()
  target_include_directories(tributary_${name} PRIVATE ${PROJECT_BINARY_DIR})
endfunction()

# The part of a header that the group of a pattern finds, so that no number stands in two places.
function(tributary_constant header pattern out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
  file(READ ${PROJECT_SOURCE_DIR}/${header} text)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${header} does not say ${pattern}")
  endif()
  set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()
