#include "config/server_options.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/url_rules.h"

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

/// What PostgreSQL takes for `word`, one of on, off, true, false, yes and no: any clear beginning.
bool short_for(std::string_view text, std::string_view word) {
  const std::size_t least = word.starts_with('o') ? 2 : 1;
  return text.size() >= least && word.starts_with(text);
}

/// A boolean in one spelling, and all else in small letters.
std::string normal(std::string_view value) {
  std::string text = small_letters(value);
  for (const std::string_view on : {"on", "true", "yes"}) {
    if (text == "1" || short_for(text, on)) return "on";
  }
  for (const std::string_view off : {"off", "false", "no"}) {
    if (text == "0" || short_for(text, off)) return "off";
  }
  return text;
}

/// A setting under which Tributary works with these values only.
struct Needed {
  std::string_view name;
  std::array<std::string_view, 2> values;
  std::string_view otherwise;
};

constexpr std::string_view kCannotWrite = "changes could not be written";
constexpr std::string_view kOtherStatements = "the outbox's statements would mean something else";
constexpr std::array<Needed, 11> kNeeded = {{
    {"array_nulls", {"on", ""}, kOtherStatements},
    {"bytea_output", {"hex", ""}, "batches would come in another form"},
    {"client_encoding", {"utf8", "utf-8"}, "keys and values would be converted"},
    {"default_transaction_isolation", {"read committed", ""}, "seals would miss rows, or fail"},
    {"default_transaction_read_only", {"off", ""}, kCannotWrite},
    {"row_security", {"on", ""}, kOtherStatements},
    {"session_replication_role",
     {"origin", "local"},
     "the triggers that check each change would not run"},
    {"standard_conforming_strings", {"on", ""}, kOtherStatements},
    {"transaction_isolation", {"read committed", ""}, "seals would miss rows, or fail"},
    {"transaction_read_only", {"off", ""}, kCannotWrite},
    {"transform_null_equals", {"off", ""}, kOtherStatements},
}};

std::string wrong_with_setting(const Word& word) {
  const auto needed = std::ranges::find(kNeeded, word.name, &Needed::name);
  if (needed == kNeeded.end()) return "";
  const std::string value = normal(word.value);
  if (std::ranges::find(needed->values, value) != needed->values.end() && !value.empty()) return "";
  return "remove " + word.name + " from options: " + std::string(needed->otherwise);
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
