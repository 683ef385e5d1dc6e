#include <algorithm>
#include <array>
#include <vector>

#include <tributary/config/server_options.h>
#include <tributary/config/url_rules.h>

namespace tributary::config {
namespace {

/// One word of the command line; with a setting in it when `name` is not empty.
struct Word {
  std::string switched;  ///< what stands before the name: -c, --, or all of another switch
  std::string name;      ///< as PostgreSQL compares it: small letters, _ for -
  std::string value;
  bool whole = true;  ///< a setting has an =
};

/// Split as PostgreSQL's pg_split_opts() does: at blanks, a backslash takes the next byte as it is.
std::vector<std::string> split_words(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\v\f\r";
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kBlank.find(text[i]) != std::string_view::npos) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    words.back().push_back(text[i]);
  }
  return words;
}

std::string small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return small;
}

Word setting(std::string switched, std::string_view text) {
  const std::size_t equals = text.find('=');
  Word word{
      .switched = std::move(switched), .name = small_letters(text.substr(0, equals)), .value = {}};
  word.whole = equals != std::string_view::npos && equals > 0;
  if (equals != std::string_view::npos) word.value = text.substr(equals + 1);
  std::ranges::replace(word.name, '-', '_');
  return word;
}

std::vector<Word> parsed(std::string_view options) {
  std::vector<Word> out;
  const std::vector<std::string> words = split_words(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "-c") {
      ++i;
      out.push_back(setting("-c ", i < words.size() ? std::string_view(words[i]) : ""));
    } else if (word.starts_with("-c")) {
      out.push_back(setting("-c ", word.substr(2)));
    } else if (word.starts_with("--")) {
      out.push_back(setting("--", word.substr(2)));
    } else {
      out.push_back({.switched = words[i], .name = {}, .value = {}});
    }
  }
  return out;
}

/// As PostgreSQL reads a boolean: any clear beginning of a word.
bool is_on(std::string_view value) {
  const std::string text = small_letters(value);
  if (text.empty()) return false;
  return text == "on" || text == "1" || std::string_view("true").starts_with(text) ||
         std::string_view("yes").starts_with(text);
}

std::string wrong_with_setting(const Word& word) {
  const std::string& name = word.name;
  if (name == "default_transaction_read_only" || name == "transaction_read_only") {
    return is_on(word.value) ? "remove " + name + " from options: changes could not be written"
                             : "";
  }
  if (name == "session_replication_role" && word.value != "origin" && word.value != "local") {
    return "remove session_replication_role from options: the triggers that check each change "
           "would not run";
  }
  return "";
}

/// Built-in settings of a session, none of which holds a secret.
constexpr std::array<std::string_view, 26> kHarmless = {
    "application_name",
    "client_encoding",
    "client_min_messages",
    "commit_delay",
    "commit_siblings",
    "datestyle",
    "deadlock_timeout",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "geqo",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "lock_timeout",
    "log_min_duration_statement",
    "log_statement",
    "search_path",
    "session_replication_role",
    "statement_timeout",
    "synchronous_commit",
    "tcp_user_timeout",
    "temp_buffers",
    "timezone",
    "transaction_read_only",
    "work_mem",
};

}  // namespace

std::string wrong_with_server_options(std::string_view options) {
  for (const Word& word : parsed(options)) {
    const bool is_switch = word.switched.size() > 1 && word.switched.front() == '-';
    if (!is_switch || !word.whole) return "options must be settings, each as -c name=value";
    if (word.name.empty()) continue;
    if (std::string wrong = wrong_with_setting(word); !wrong.empty()) return wrong;
  }
  return "";
}

std::string shown_server_options(std::string_view options) {
  std::string out;
  for (const Word& word : parsed(options)) {
    out += out.empty() ? "" : " ";
    const bool harmless = std::ranges::find(kHarmless, word.name) != kHarmless.end();
    if (word.name.empty() || !word.whole) out += kHidden;
    else out += word.switched + word.name + "=" + (harmless ? word.value : std::string(kHidden));
  }
  return out;
}

}  // namespace tributary::config
