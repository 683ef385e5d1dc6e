#include "outbox/batch/row_check.h"

#include <algorithm>

namespace tributary {
namespace {

using Kind = RowVerdict::Kind;

constexpr std::size_t kMaxContextBytes = std::size_t{1} << 20;  // a hundred thousand actors

RowVerdict illegal(std::string why) {
  return {Kind::kIllegal, nullptr, nullptr, 0, std::move(why)};
}

std::string takes_no(std::string_view what, const OutboxRow& row) {
  return "operation \"" + std::string(row.operation) + "\" of type \"" + std::string(row.type) +
         "\" takes no " + std::string(what);
}

std::string needs(std::string_view what, const OutboxRow& row) {
  return "operation \"" + std::string(row.operation) + "\" of type \"" + std::string(row.type) +
         "\" needs " + std::string(what) + ", and it is NULL";
}

std::string too_long(std::string_view what, std::size_t bytes, std::size_t limit) {
  return std::string(what) + " has " + std::to_string(bytes) + " bytes, the limit is " +
         std::to_string(limit) + " (limits.value_bytes)";
}

/// Why the operands are not those that the operation takes; empty when they are.
std::string wrong_operands(const crdt::Operation& operation, const OutboxRow& row,
                           const Limits& limits) {
  if (!takes_value(operation.operand) && !row.value.empty()) return takes_no("value", row);
  if (!takes_field(operation.operand) && !row.field.empty()) return takes_no("field", row);
  if (!takes_amount(operation.operand) && row.amount != 0) return takes_no("amount", row);
  if (takes_value(operation.operand) && row.null_value) return needs("a value", row);
  if (takes_field(operation.operand) && row.null_field) return needs("a field", row);
  if (takes_amount(operation.operand) && row.null_amount) return needs("an amount", row);
  if (row.value.size() > limits.value_bytes) {
    return too_long("the value", row.value.size(), limits.value_bytes);
  }
  if (row.field.size() > limits.value_bytes) {
    return too_long("the field", row.field.size(), limits.value_bytes);
  }
  if (row.key.size() + row.field.size() + row.value.size() > kMaxChangeBytes) {
    return "key, field and value have more than " + std::to_string(kMaxChangeBytes) + " bytes";
  }
  if (row.context.size() > kMaxContextBytes) {
    return "its context has " + std::to_string(row.context.size()) + " bytes, more than " +
           std::to_string(kMaxContextBytes);
  }
  return {};
}

}  // namespace

bool RowCheck::database_knows(std::string_view type, std::string_view operation) const {
  return std::ranges::any_of(stored_.operations, [&](const auto& each) {
    return each.first == type && each.second == operation;
  });
}

RowCheck::KeyRule RowCheck::make_rule(std::string_view key) const {
  if (auto legal = check_key(stored_.schema.limits, key); !legal) {
    return {.why = std::move(legal.error().message)};
  }
  for (const Keyspace& keyspace : stored_.schema.keyspaces) {
    if (!matches(keyspace.pattern, key)) continue;
    return {.type = crdt::find_type(keyspace.type), .type_name = keyspace.type};
  }
  return {.why = type_of(stored_.schema, key).error().message};
}

std::size_t RowCheck::rule_of(std::string_view key) {
  const auto [entry, fresh] = number_of_.try_emplace(key, rules_.size());
  if (fresh) rules_.push_back(make_rule(key));
  return entry->second;
}

RowVerdict RowCheck::check(const OutboxRow& row) {
  if (!row.odd.empty()) return illegal(row.odd);
  const std::size_t key = rule_of(row.key);
  const KeyRule& rule = rules_[key];
  if (!rule.why.empty()) return illegal(rule.why);
  if (row.type != rule.type_name) {
    return illegal("the key is a " + std::string(rule.type_name) + " by its keyspace, not a " +
                   std::string(row.type));
  }
  const crdt::Operation* operation =
      rule.type == nullptr ? nullptr : crdt::find_operation(*rule.type, row.operation);
  if (operation == nullptr) {
    const std::string what = "operation \"" + std::string(row.operation) + "\" of type \"" +
                             std::string(row.type) + "\"";
    if (!database_knows(row.type, row.operation)) return illegal("there is no " + what);
    return {Kind::kUnknown, nullptr, nullptr, 0,
            what + " is in the database's tables, but not in this program: upgrade the relay"};
  }
  if (auto wrong = wrong_operands(*operation, row, stored_.schema.limits); !wrong.empty()) {
    return illegal(std::move(wrong));
  }
  if (row.hlc > kMaxHlc) return illegal("its time (hlc) is beyond the year 2100");
  return {Kind::kLegal, rule.type, operation, key, {}};
}

}  // namespace tributary
