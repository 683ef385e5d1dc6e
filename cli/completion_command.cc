/// `tributary completion`: prints a completion script for a shell.
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/completion.h"

namespace tributary::cli {

void add_completion(CLI::App& app, Job& job) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "completion", "Print a completion script, e.g. source <(tributary completion bash)");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app, &job] {
    job = [shell, &app] {
      const std::string script = *shell == "bash"  ? bash_completion(app)
                                 : *shell == "zsh" ? zsh_completion(app)
                                                   : fish_completion(app);
      std::fputs(script.c_str(), stdout);
      return kOk;
    };
  });
}

}  // namespace tributary::cli
