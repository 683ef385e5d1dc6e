/// The `options` parameter of a PostgreSQL URL: settings of the session, as a command line for the
/// server. Private to config.
#pragma once

#include <string>
#include <string_view>

namespace tributary::config {

/// What is wrong with it: a setting under which no change can be written, or is written past the
/// triggers that check it. Empty when nothing is. Never repeats a value.
[[nodiscard]] std::string wrong_with_server_options(std::string_view options);

/// The same with the values hidden of all settings that are not known to hold no secret.
[[nodiscard]] std::string shown_server_options(std::string_view options);

}  // namespace tributary::config
