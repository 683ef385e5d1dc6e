/// What must hold for an address to work at run time, by its kind. Private to config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/url.h"

namespace tributary::config {

/// What is wrong with it; empty when nothing is. Never repeats a part of the URL.
[[nodiscard]] std::string wrong_with(UrlKind kind, const Url& url);

/// The same for the parameters of a PostgreSQL URL.
[[nodiscard]] std::string wrong_with_libpq_query(const Url& url);

/// A PostgreSQL parameter's value as it may be shown: hidden, unless it is known to be no secret.
[[nodiscard]] std::string shown_value(std::string_view name, const std::string& value);
/// What stands for a value that is not shown.
inline constexpr std::string_view kHidden = "hidden";

/// Names of the place a right URL leads to. Two URLs lead to one place when they share a name; a
/// URL with several hosts has several.
[[nodiscard]] std::vector<std::string> places_of(const Url& url);

}  // namespace tributary::config
