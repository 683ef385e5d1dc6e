#include "base/log.h"

#include <memory>
#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

namespace tributary::log {
namespace {

struct Output {
  Format format = Format::kText;
  std::string process = {};
  std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
};

/// What log lines go through, replaced as a whole while other threads log.
class Current {
 public:
  std::shared_ptr<const Output> get() {
    const std::scoped_lock lock(mutex_);
    return output_;
  }
  void set(std::shared_ptr<const Output> output) {
    const std::scoped_lock lock(mutex_);
    output_ = std::move(output);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Output> output_ = std::make_shared<Output>();
};

Current& current() {
  static Current current;
  return current;
}

/// A value that needs no quotes in a text line.
bool is_plain(std::string_view value) {
  return !value.empty() && value.find_first_of(" \"\\=") == std::string_view::npos &&
         printable(value) == value;
}

std::string as_text(const std::string& process, std::string_view sentence,
                    std::initializer_list<Field> fields) {
  std::string line = printable(process) + ": " + printable(sentence);
  for (const Field& field : fields) {
    line.append(" ").append(printable(field.name)).append("=");
    line += !field.quoted || is_plain(field.value) ? field.value : in_quotes(field.value);
  }
  return line;
}

/// The members behind "time" and "level", which the pattern gives.
std::string as_json(const std::string& process, std::string_view sentence,
                    std::initializer_list<Field> fields) {
  std::string line = "\"process\":" + json_string(process);
  line += ",\"message\":" + json_string(sentence);
  for (const Field& field : fields) {
    line += "," + json_string(field.name) + ":";
    line += field.quoted ? json_string(field.value) : field.value;
  }
  return line;
}

void write(spdlog::level::level_enum level, std::string_view sentence,
           std::initializer_list<Field> fields) {
  const auto output = current().get();
  if (!output->logger->should_log(level)) return;
  const std::string line = output->format == Format::kJson
                               ? as_json(output->process, sentence, fields)
                               : as_text(output->process, sentence, fields);
  // A string_view is logged as it is: neither format nor pattern marks in it count.
  output->logger->log(level, spdlog::string_view_t(line));
}

}  // namespace

void configure(std::string_view process, Level level, Format format) {
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
  current().set(std::make_shared<Output>(Output{format, std::string(process), std::move(logger)}));
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
