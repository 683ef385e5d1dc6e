#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <tributary/base/log.h>

namespace tributary::log {
namespace {

Format g_format = Format::kText;

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out.push_back(kDigits[(c >> 4) & 0xf]);
      out.push_back(kDigits[c & 0xf]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

std::string render(std::string_view sentence, std::initializer_list<Field> fields) {
  std::string line;
  if (g_format == Format::kJson) append_json_string(line, sentence);
  else line = sentence;
  for (const Field& field : fields) {
    if (g_format == Format::kJson) {
      line += ",";
      append_json_string(line, field.name);
      line += ":";
    } else {
      line.append(" ").append(field.name).append("=");
    }
    const bool bare = !field.quoted || (g_format == Format::kText && !field.value.empty() &&
                                        field.value.find_first_of(" \"\n\t=") == std::string::npos);
    if (bare) line += field.value;
    else append_json_string(line, field.value);
  }
  return line;
}

void write(spdlog::level::level_enum level, std::string_view sentence,
           std::initializer_list<Field> fields) {
  if (spdlog::should_log(level)) spdlog::log(level, "{}", render(sentence, fields));
}

}  // namespace

void configure(std::string_view process, Level level, Format format) {
  g_format = format;
  auto logger = spdlog::stderr_color_mt(std::string(process) + "-log");
  if (format == Format::kJson) {
    logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","process":")" +
                            std::string(process) + R"(","message":%v})",
                        spdlog::pattern_time_type::utc);
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ " + std::string(process) + ": %v",
                        spdlog::pattern_time_type::utc);
  }
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err,
                                                   spdlog::level::off};
  logger->set_level(kLevels[static_cast<int>(level)]);
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_level(kLevels[static_cast<int>(level)]);
}

void debug(std::string_view sentence, std::initializer_list<Field> fields) {
  write(spdlog::level::debug, sentence, fields);
}
void info(std::string_view sentence, std::initializer_list<Field> fields) {
  write(spdlog::level::info, sentence, fields);
}
void warn(std::string_view sentence, std::initializer_list<Field> fields) {
  write(spdlog::level::warn, sentence, fields);
}
void error(std::string_view sentence, std::initializer_list<Field> fields) {
  write(spdlog::level::err, sentence, fields);
}

}  // namespace tributary::log
