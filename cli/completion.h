/// Shell completion scripts, made from the program's own options.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace tributary::cli {

[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);
[[nodiscard]] std::string fish_completion(const CLI::App& app);

}  // namespace tributary::cli
