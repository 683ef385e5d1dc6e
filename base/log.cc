#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <tributary/base/log.h>
#include <tributary/base/text.h>

namespace tributary::log {
namespace {

Format g_format = Format::kText;
std::string g_process;

/// A value that needs no quotes in a text line.
bool is_plain(std::string_view value) {
  return !value.empty() && value.find_first_of(" \"\\=") == std::string_view::npos &&
         printable(value) == value;
}

std::string as_text(std::string_view sentence, std::initializer_list<Field> fields) {
  std::string line = printable(g_process) + ": " + printable(sentence);
  for (const Field& field : fields) {
    line.append(" ").append(printable(field.name)).append("=");
    line += !field.quoted || is_plain(field.value) ? field.value : in_quotes(field.value);
  }
  return line;
}

/// The members behind "time" and "level", which the pattern gives.
std::string as_json(std::string_view sentence, std::initializer_list<Field> fields) {
  std::string line = "\"process\":" + json_string(g_process);
  line += ",\"message\":" + json_string(sentence);
  for (const Field& field : fields) {
    line += "," + json_string(field.name) + ":";
    line += field.quoted ? json_string(field.value) : field.value;
  }
  return line;
}

void write(spdlog::level::level_enum level, std::string_view sentence,
           std::initializer_list<Field> fields) {
  if (!spdlog::should_log(level)) return;
  // A string_view is logged as it is: neither format nor pattern marks in it count.
  const std::string line =
      g_format == Format::kJson ? as_json(sentence, fields) : as_text(sentence, fields);
  spdlog::log(level, spdlog::string_view_t(line));
}

}  // namespace

void configure(std::string_view process, Level level, Format format) {
  g_format = format;
  g_process = process;
  auto logger = std::make_shared<spdlog::logger>(
      "tributary", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern(format == Format::kJson
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})"
                          : "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v",
                      spdlog::pattern_time_type::utc);
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
