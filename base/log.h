/// Structured log lines on stderr: a sentence, then key=value pairs (or JSON). Whatever bytes they
/// hold, an event is one line, and a JSON line is JSON: see printable, in_quotes and json_string.
/// Not for: metrics, or output a user asked for.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tributary::log {

/// One key=value pair. Integers stay integers.
struct Field {
  Field(std::string_view name, std::string_view value) : name(name), value(value) {}
  Field(std::string_view name, const std::string& value) : name(name), value(value) {}
  Field(std::string_view name, const char* value) : name(name), value(value) {}
  template <typename Integer>
  requires std::integral<Integer> Field(std::string_view name, Integer value)
      : name(name), value(std::to_string(value)), quoted(false) {}

  std::string_view name;
  std::string value;
  bool quoted = true;
};

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kText, kJson };

/// `process` is the name shown in every line. Thread-safe.
void configure(std::string_view process, Level level, Format format);

/// Thread-safe.
void debug(std::string_view sentence, std::initializer_list<Field> fields = {});
void info(std::string_view sentence, std::initializer_list<Field> fields = {});
void warn(std::string_view sentence, std::initializer_list<Field> fields = {});
void error(std::string_view sentence, std::initializer_list<Field> fields = {});

}  // namespace tributary::log
