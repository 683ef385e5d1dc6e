#include "cli/completion.h"

#include <functional>
#include <vector>

namespace tributary::cli {
namespace {

/// The words that may follow a path of subcommands: deeper subcommands and long options.
std::vector<std::string> words_after(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(sub->get_name());
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

void walk(const CLI::App& command, const std::string& path,
          const std::function<void(const std::string&, const CLI::App&)>& visit) {
  visit(path, command);
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    walk(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), visit);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    cases += "    '" + path + "') words='" + joined(words_after(command)) + "' ;;\n";
  });
  return "_tributary() {\n"
         "  local word path='' words=''\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    [[ $word == [a-z]* && ' '$(_tributary_subcommands)' ' == *\" $word \"* ]] && "
         "path=\"${path:+$path }$word\"\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "  [[ ${#COMPREPLY[@]} == 0 ]] && COMPREPLY=($(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "_tributary_subcommands() { echo '" +
         [&] {
           std::string names;
           walk(app, "", [&](const std::string&, const CLI::App& command) {
             if (&command != &app) names += command.get_name() + " ";
           });
           return names;
         }() +
         "'; }\n"
         "complete -F _tributary tributary\n";
}

std::string zsh_completion(const CLI::App& app) {
  return "autoload -U +X bashcompinit && bashcompinit\n" + bash_completion(app);
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "complete -c tributary -f\n";
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    std::string condition = path.empty() ? "__fish_use_subcommand" : "";
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t space = std::min(path.find(' ', at), path.size());
      condition += (condition.empty() ? "" : "; and ") +
                   ("__fish_seen_subcommand_from " + path.substr(at, space - at));
      at = space + 1;
    }
    for (const std::string& word : words_after(command)) {
      const bool option = word.starts_with("--");
      out += "complete -c tributary -n '" + condition + "' " +
             (option ? "-l " + word.substr(2) : "-a " + word) + "\n";
    }
  });
  return out;
}

}  // namespace tributary::cli
