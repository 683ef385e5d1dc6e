#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <tributary/crdt/schema.h>
#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

namespace tributary {
namespace {

Schema shop() {
  Schema schema;
  schema.keyspaces = {{"stock:*", "counter"}, {"cart:vip:*", "register"}, {"cart:*", "set"}};
  schema.limits.key_bytes = 20;
  schema.limits.value_bytes = 10;
  return schema;
}

/// The refusal, or nothing when the change may be written.
std::string refusal(const Change& change) {
  const Result<void> checked = check(shop(), change);
  if (checked) return "";
  CHECK(checked.error().kind == ErrorKind::kInvalid);
  return checked.error().message;
}

bool mentions(const std::string& message, std::string_view word) {
  return message.find(word) != std::string::npos;
}

TEST_CASE("patterns match as a whole, with stars for runs and question marks for single bytes") {
  CHECK(matches("stock:*", "stock:"));
  CHECK(matches("stock:*", "stock:1:2"));
  CHECK_FALSE(matches("stock:*", "stocks:1"));
  CHECK_FALSE(matches("stock:*", "my stock:1"));
  CHECK(matches("*:eu:*", "a:eu:eu:b"));
  CHECK(matches("a?c", "abc"));
  CHECK_FALSE(matches("a?c", "ac"));
  CHECK(matches("a*b*c", "axbxbxc"));
  CHECK_FALSE(matches("a*b*c", "axbxbx"));
  CHECK(matches("[a].\\", "[a].\\"));
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "a"));
}

TEST_CASE("the first keyspace that matches gives the type") {
  const Schema schema = shop();
  CHECK(type_of(schema, "cart:1").value()->name == "set");
  CHECK(type_of(schema, "cart:vip:1").value()->name == "register");
  CHECK(mentions(type_of(schema, "till:1").error().message, "no keyspace matches"));
}

TEST_CASE("good changes of every type pass") {
  CHECK(refusal(counter::add("stock:1", -3)).empty());
  CHECK(refusal(register_::set("cart:vip:1", "ann")).empty());
  CHECK(refusal(register_::set("cart:vip:1", "")).empty());
  CHECK(refusal(register_::clear("cart:vip:1")).empty());
  CHECK(refusal(set::add("cart:1", "apple")).empty());
  CHECK(refusal(set::remove("cart:1", "apple")).empty());
  CHECK(refusal(set::clear("cart:1")).empty());
}

TEST_CASE("a type other than the keyspace's is refused, naming both") {
  const std::string message = refusal(set::add("stock:1", "apple"));
  CHECK(mentions(message, "counter"));
  CHECK(mentions(message, "set"));
}

TEST_CASE("an unknown type or operation is refused with those that exist") {
  CHECK(mentions(refusal({.key = "stock:1", .type = "conter", .operation = "add"}), "register"));
  CHECK(mentions(refusal({.key = "cart:1", .type = "set", .operation = "append"}), "remove"));
}

TEST_CASE("an empty, oversize or reserved key is refused") {
  CHECK(mentions(refusal(counter::add("", 1)), "empty"));
  CHECK(refusal(counter::add("stock:" + std::string(14, 'x'), 1)).empty());
  CHECK(mentions(refusal(counter::add("stock:" + std::string(15, 'x'), 1)), "limits.key_bytes"));
  CHECK(mentions(refusal(counter::add("tributary:x", 1)), "Tributary's own state"));
}

TEST_CASE("a value at the limit passes, one byte more is refused") {
  CHECK(refusal(set::add("cart:1", std::string(10, 'x'))).empty());
  CHECK(mentions(refusal(set::add("cart:1", std::string(11, 'x'))), "limits.value_bytes"));
}

TEST_CASE("operands an operation does not take are refused") {
  Change change = counter::add("stock:1", 1);
  change.value = "x";
  CHECK(mentions(refusal(change), "no value"));
  change = set::clear("cart:1");
  change.amount = 1;
  CHECK(mentions(refusal(change), "no amount"));
  change = set::add("cart:1", "apple");
  change.field = "f";
  CHECK(mentions(refusal(change), "no field"));
}

TEST_CASE("an amount that cannot be negated is refused") {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  CHECK(mentions(refusal(counter::add("stock:1", kLeast)), "overflow"));
  CHECK(refusal(counter::add("stock:1", kLeast + 1)).empty());
}

TEST_CASE("a key is shown in a message without control characters, cut between characters") {
  const auto message = [](const std::string& key) { return type_of(shop(), key).error().message; };
  CHECK(mentions(message("a\x1b[2J\n\x7f"), "\"a\\x1b[2J\\x0a\\x7f\""));
  CHECK(mentions(refusal(counter::add(std::string("stock:\0", 7), 1)), "\"stock:\\x00\""));
  CHECK(mentions(message(std::string(79, 'x') + "é"), std::string(79, 'x') + "…\""));
  CHECK(mentions(message("é"), "\"é\""));
}

}  // namespace
}  // namespace tributary
