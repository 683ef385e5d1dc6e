#include "cli/strict_json.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::json;

/// {"tx": [{"key": …, "put": {"field": [value]}}]} has five levels.
constexpr std::size_t kDeepest = 8;
constexpr std::size_t kShown = 80;

std::string shortened(const std::string& text) {
  return in_quotes(text.size() > kShown ? text.substr(0, kShown) + "…" : text);
}

/// Builds the value from nlohmann's events; returning false ends the parse. It keeps its own stack,
/// so that no depth of the input costs stack of ours.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return refuse("it is not JSON"); }

  bool number_integer(number_integer_t value) override {
    // What has no sign comes as unsigned, so this zero is written -0.
    return value == 0 ? refuse(here() + "-0 is no whole number; write 0") : put(value);
  }

  bool number_float(number_float_t, const string_t& digits) override {
    const bool whole = digits.find_first_of(".eE") == std::string::npos;
    const std::string what = shortened(digits);
    return refuse(here() + what.substr(1, what.size() - 2) +
                  (whole ? " is out of range; numbers go from -9223372036854775807 to "
                           "9223372036854775807"
                         : " has a fraction or an exponent; write whole numbers in digits, and "
                           "anything else as a string"));
  }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Json& object = *open_.back();
    if (object.contains(name)) {
      return refuse("member " + shortened(name) +
                    " stands twice in one object; keep one of them, or make two changes");
    }
    member_ = &object[name];
    name_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return refuse("it is not JSON, from byte " + std::to_string(position) + " on");
  }

  Result<Json> take(bool whole) {
    if (!whole) return fail(ErrorKind::kInvalid, wrong_.empty() ? "it is not JSON" : wrong_);
    return std::move(root_);
  }

 private:
  [[nodiscard]] std::string here() const { return name_.empty() ? "" : shortened(name_) + ": "; }

  bool refuse(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
    return false;
  }

  /// Where the next value goes.
  Json& place() {
    if (open_.empty()) return root_;
    if (open_.back()->is_object()) return *member_;
    open_.back()->push_back(nullptr);
    return open_.back()->back();
  }

  bool put(Json value) {
    place() = std::move(value);
    return true;
  }

  bool open(Json value) {
    if (open_.size() == kDeepest) {
      return refuse("it is nested deeper than " + std::to_string(kDeepest) +
                    " levels; a change needs five at most");
    }
    Json& to = place();
    to = std::move(value);
    open_.push_back(&to);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  ///< each holds the next; none grows while an inner one is open
  Json* member_ = nullptr;
  std::string name_;  ///< of the last member, for messages
  std::string wrong_;
};

/// What no JSON text may hold, by its first place; empty when all is well.
std::string wrong_bytes(std::string_view line) {
  if (line.starts_with("\xef\xbb\xbf")) {
    return "it starts with a byte order mark; only the first line may";
  }
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
    return "byte " + std::to_string(nul + 1) + " is NUL; write \\u0000 in a JSON string";
  }
  return is_utf8(line) ? "" : "it is not UTF-8; JSON has to be";
}

}  // namespace

Result<Json> parse_strictly(std::string_view line) {
  if (std::string wrong = wrong_bytes(line); !wrong.empty()) {
    return fail(ErrorKind::kInvalid, std::move(wrong));
  }
  Builder builder;
  const bool whole = Json::sax_parse(line, &builder);
  return builder.take(whole);
}

}  // namespace tributary::cli
