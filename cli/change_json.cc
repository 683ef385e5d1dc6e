#include "cli/change_json.h"

#include <limits>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <tributary/crdt/type.h>

#include "base/text.h"
#include "cli/strict_json.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> refuse(std::string what) {
  return fail(ErrorKind::kInvalid, std::move(what));
}

/// The value as a message shows it; not all of a long one.
std::string shown(const Json& json) {
  constexpr std::size_t kShown = 80;
  const std::string text = json.dump();
  return text.size() <= kShown ? text : printable(text.substr(0, kShown)) + "…";
}

Result<std::string> text_of(const Json& json, const std::string& where) {
  if (!json.is_string()) return refuse(where + " must be a string, it is " + shown(json));
  return json.get<std::string>();
}

Result<std::int64_t> amount_of(const Json& json, const std::string& where) {
  const bool too_large = json.is_number_unsigned() &&
                         json.get<std::uint64_t>() >
                             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!json.is_number_integer() || too_large) {
    return refuse(where + " must be a whole number from -9223372036854775807 to " +
                  "9223372036854775807, it is " + shown(json));
  }
  return json.get<std::int64_t>();
}

/// The changes that one operation's operands stand for, each starting from `base`.
class Operands {
 public:
  Operands(const crdt::Operation& operation, Change base)
      : operation_(operation), base_(std::move(base)), where_("\"" + base_.operation + "\"") {}

  Result<std::vector<Change>> expand(const Json& json) {
    if (operation_.operand == crdt::Operand::kNone) return expand_none(json);
    if (crdt::takes_field(operation_.operand) && operation_.operand != crdt::Operand::kField) {
      return expand_fields(json);
    }
    if (!json.is_array()) return expand_list({json});
    if (!operation_.repeatable || json.empty()) {
      return refuse(where_ + (json.empty() ? " has an empty list" : " takes no list"));
    }
    return expand_list(json.get<std::vector<Json>>());
  }

 private:
  Result<std::vector<Change>> expand_none(const Json& json) {
    if (json != Json(true)) return refuse(where_ + " must be true, it is " + shown(json));
    return std::vector<Change>{base_};
  }

  Result<std::vector<Change>> expand_list(const std::vector<Json>& operands) {
    std::vector<Change> changes;
    for (const Json& operand : operands) {
      Change change = base_;
      if (crdt::takes_amount(operation_.operand)) {
        TRIBUTARY_ASSIGN(change.amount, amount_of(operand, where_));
      } else {
        TRIBUTARY_ASSIGN(std::string text, text_of(operand, where_));
        (crdt::takes_value(operation_.operand) ? change.value : change.field) = std::move(text);
      }
      changes.push_back(std::move(change));
    }
    return changes;
  }

  /// {"field": operand, …}
  Result<std::vector<Change>> expand_fields(const Json& json) {
    if (!json.is_object() || json.empty()) {
      return refuse(where_ + " must be an object of field: operand, it is " + shown(json));
    }
    std::vector<Change> changes;
    for (const auto& [field, operand] : json.items()) {
      Change change = base_;
      change.field = field;
      const std::string where = where_ + " of field " + in_quotes(field);
      if (crdt::takes_amount(operation_.operand)) {
        TRIBUTARY_ASSIGN(change.amount, amount_of(operand, where));
      } else {
        TRIBUTARY_ASSIGN(change.value, text_of(operand, where));
      }
      changes.push_back(std::move(change));
    }
    return changes;
  }

  const crdt::Operation& operation_;
  Change base_;
  std::string where_;
};

std::string operations_of(const crdt::Type& type) {
  std::string names;
  for (const crdt::Operation& operation : type.operations) {
    names.append(names.empty() ? "" : ", ").append(operation.name);
  }
  return names;
}

Result<void> read_context(const Json& object, Change& base) {
  if (!object.contains("context")) return {};
  TRIBUTARY_ASSIGN(const std::string token, text_of(object["context"], "\"context\""));
  base.context = VersionVector::from_token(token);
  if (!base.context) return refuse("\"context\" is not a token that `tributary read` printed");
  return {};
}

Result<std::vector<Change>> parse_change(const Json& object) {
  if (!object.is_object()) return refuse("a change must be a JSON object, it is " + shown(object));
  if (object.contains("tx")) return refuse("\"tx\" stands within \"tx\"");
  for (const char* required : {"key", "type"}) {
    if (!object.contains(required)) return refuse("\"" + std::string(required) + "\" is missing");
  }
  Change base;
  TRIBUTARY_ASSIGN(base.key, text_of(object["key"], "\"key\""));
  TRIBUTARY_ASSIGN(base.type, text_of(object["type"], "\"type\""));
  TRIBUTARY_TRY(read_context(object, base));
  const crdt::Type* type = crdt::find_type(base.type);
  if (type == nullptr) return refuse("there is no type " + in_quotes(base.type));
  const crdt::Operation* operation = nullptr;
  for (const auto& [name, operands] : object.items()) {
    if (name == "key" || name == "type" || name == "context") continue;
    const crdt::Operation* found = crdt::find_operation(*type, name);
    if (found == nullptr) {
      return refuse("a " + base.type + " has no operation " + in_quotes(name) + "; it has " +
                    operations_of(*type));
    }
    if (operation != nullptr) {
      return refuse("\"" + std::string(operation->name) + "\" and \"" + name +
                    "\" stand in one change; make two of it, in {\"tx\": [change, change]}");
    }
    operation = found;
  }
  if (operation == nullptr) {
    return refuse("the operation is missing; a " + base.type + " has " + operations_of(*type));
  }
  base.operation = operation->name;
  return Operands(*operation, base).expand(object[base.operation]);
}

}  // namespace

Result<std::vector<Change>> parse_line(std::string_view line) {
  TRIBUTARY_ASSIGN(const Json json, parse_strictly(line));
  if (!json.is_object() || !json.contains("tx")) return parse_change(json);
  if (json.size() != 1) {
    const std::string other =
        json.begin().key() == "tx" ? std::next(json.begin()).key() : json.begin().key();
    return refuse("beside \"tx\" there may be nothing else, here is " + in_quotes(other));
  }
  if (!json["tx"].is_array() || json["tx"].empty())
    return refuse("\"tx\" must be a list of changes");
  std::vector<Change> changes;
  std::size_t number = 0;
  for (const Json& each : json["tx"]) {
    ++number;
    auto parsed = parse_change(each);
    if (!parsed) return fail(parsed.error().in("change " + std::to_string(number)));
    std::move(parsed->begin(), parsed->end(), std::back_inserter(changes));
  }
  return changes;
}

}  // namespace tributary::cli
