/// The parameters that libpq 15 knows in a URL, by its manual (34.1.2), and which of them let
/// Tributary work.
#include <algorithm>
#include <set>
#include <span>

#include "config/host.h"
#include "config/lists.h"
#include "config/mistakes.h"
#include "config/server_options.h"
#include "config/url_rules.h"

namespace tributary::config {
namespace {

/// kText: nobody knows what people write there, so it is not shown.
enum class Value { kAny, kText, kOptions, kNumber, kSwitch, kPorts, kAddresses, kOneOf, kNever };

struct Parameter {
  std::string_view name;
  Value value = Value::kAny;
  std::string_view words = "";  ///< of kOneOf, or why never
};

constexpr std::string_view kPrefer = " disable prefer require ";
constexpr std::string_view kVersions = " TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 ";
constexpr Parameter kParameters[] = {
    {"application_name"},
    {"channel_binding", Value::kOneOf, kPrefer},
    {"client_encoding", Value::kOneOf, " UTF8 utf8 UTF-8 utf-8 "},
    {"connect_timeout", Value::kNumber},
    {"dbname"},
    {"fallback_application_name"},
    {"gssencmode", Value::kOneOf, kPrefer},
    {"gsslib"},
    {"host"},
    {"hostaddr", Value::kAddresses},
    {"keepalives", Value::kSwitch},
    {"keepalives_count", Value::kNumber},
    {"keepalives_idle", Value::kNumber},
    {"keepalives_interval", Value::kNumber},
    {"krbsrvname"},
    {"options", Value::kOptions},
    {"passfile", Value::kText},
    {"port", Value::kPorts},
    {"replication", Value::kNever, "a replication connection runs no transactions"},
    {"requirepeer"},
    {"service", Value::kText},
    {"ssl", Value::kOneOf, " true "},
    {"ssl_max_protocol_version", Value::kOneOf, kVersions},
    {"ssl_min_protocol_version", Value::kOneOf, kVersions},
    {"sslcert"},
    {"sslcompression", Value::kSwitch},
    {"sslcrl"},
    {"sslcrldir"},
    {"sslkey"},
    {"sslmode", Value::kOneOf, " disable allow prefer require verify-ca verify-full "},
    {"sslrootcert"},
    {"sslsni", Value::kSwitch},
    // A relay writes, so it needs the primary.
    {"target_session_attrs", Value::kOneOf, " any read-write primary "},
    {"tcp_user_timeout", Value::kNumber},
    {"user"},
};

/// Of newer libpqs, too, and in any case: never let one pass as merely unknown.
bool holds_a_secret(std::string_view name) {
  constexpr std::string_view kParts[] = {"password", "passwd", "secret", "scram_"};
  std::string small(name);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::any_of(
      kParts, [&](std::string_view part) { return small.find(part) != std::string::npos; });
}

const Parameter* find(std::string_view name) {
  const auto* found = std::ranges::find(kParameters, name, &Parameter::name);
  return found == std::end(kParameters) ? nullptr : found;
}

std::string words_of(std::string_view words) {
  std::string out;
  for (const char c : words.substr(1, words.size() - 2)) {
    if (c == ' ') out += ", ";
    else out.push_back(c);
  }
  return out;
}

/// Empty when the value is right.
std::string wrong_value(const Parameter& parameter, const std::string& value) {
  const std::string name = std::string(parameter.name);
  const auto all = [&](auto right) { return std::ranges::all_of(split(value), right); };
  switch (parameter.value) {
    case Value::kAny:
    case Value::kText: return "";
    case Value::kOptions: return wrong_with_server_options(value);
    case Value::kNever: return "remove " + name + ": " + std::string(parameter.words);
    case Value::kNumber:
      return is_number(value, 0, 2'000'000'000) ? "" : name + " must be a whole number";
    case Value::kSwitch: return value == "0" || value == "1" ? "" : name + " must be 0 or 1";
    case Value::kPorts: {
      const bool right = all([](const std::string& each) { return each.empty() || is_port(each); });
      return right ? "" : "the port must be a number from 1 to 65535";
    }
    case Value::kAddresses: {
      const bool right =
          all([](const std::string& each) { return each.empty() || is_ip_address(each); });
      return right ? "" : "hostaddr must be an IP address, or several separated by commas";
    }
    case Value::kOneOf: break;
  }
  if (value.find(' ') == std::string::npos &&
      parameter.words.find(" " + value + " ") != std::string_view::npos) {
    return "";
  }
  return name + " must be one of " + words_of(parameter.words);
}

std::string unknown(const std::string& name, std::size_t number) {
  std::vector<std::string> known;
  for (const Parameter& each : kParameters) known.emplace_back(each.name);
  const std::string hint = did_you_mean(name, known);
  return "parameter " + std::to_string(number) + " behind the ? is none that libpq 15 knows" +
         (hint.empty() ? "; remove it" : hint);
}

/// What the URL says before the ? and again behind it; libpq would drop the first silently.
std::string said_twice(const Url& url) {
  std::set<std::string_view> said;
  if (!url.username.empty()) said.insert("user");
  if (!url.path.empty()) said.insert("dbname");
  for (const Host& host : url.hosts) {
    if (!host.name.empty()) said.insert("host");
    if (!host.port.empty()) said.insert("port");
  }
  for (const auto& [name, unused] : url.query) {
    if (!said.insert(name).second) return "the URL gives " + name + " twice; keep one of them";
  }
  return "";
}

std::string wrong_counts(const Url& url) {
  std::size_t hosts = url.hosts.size();
  std::size_t ports = 1;
  std::size_t addresses = 0;
  for (const auto& [name, value] : url.query) {
    if (name == "host") hosts = split(value).size();
    if (name == "port") ports = split(value).size();
    if (name == "hostaddr") addresses = split(value).size();
  }
  if (addresses > 0 && hosts > 0 && addresses != hosts) {
    return "hostaddr must name as many addresses as there are hosts";
  }
  const std::size_t places = std::max({hosts, addresses, std::size_t{1}});
  return ports == 1 || ports == places ? "" : "give one port, or as many as there are hosts";
}

}  // namespace

std::string shown_value(std::string_view name, const std::string& value) {
  const Parameter* parameter = find(name);
  if (parameter == nullptr || parameter->value == Value::kText) return std::string(kHidden);
  return parameter->value == Value::kOptions ? shown_server_options(value) : value;
}

std::string wrong_with_libpq_query(const Url& url) {
  std::size_t number = 0;
  for (const auto& [name, value] : url.query) {
    ++number;
    if (holds_a_secret(name)) {
      return "credentials never stand in a URL's query; use password_env or password_file";
    }
    const Parameter* parameter = find(name);
    if (parameter == nullptr) return unknown(name, number);
    if (std::string wrong = wrong_value(*parameter, value); !wrong.empty()) return wrong;
  }
  if (std::string wrong = said_twice(url); !wrong.empty()) return wrong;
  return wrong_counts(url);
}

}  // namespace tributary::config
