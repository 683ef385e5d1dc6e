/// The producer's transaction: what it buffers, what it refuses, and that it stays usable.
#include <limits>

#include <doctest/doctest.h>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>
#include <tributary/outbox/transaction.h>

namespace tributary {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Records what reaches the database; `down` makes every statement fail.
class RecordingConnection final : public OutboxConnection {
 public:
  using KeyTotals = std::pair<std::pair<std::string, std::string>, crdt::Totals>;

  const Schema& schema() const override { return keyspaces; }

  Result<void> accepts(const Change& change) const override {
    if (change.key.find('\xff') == std::string::npos) return {};
    return fail(ErrorKind::kInvalid, "the key is not UTF-8");
  }

  Result<std::vector<KeyTotals>> near_overflow(
      std::span<const std::pair<std::string, std::string>> keys) override {
    std::vector<KeyTotals> found;
    for (const auto& key : keys) {
      if (const auto at = near.find(key); at != near.end()) found.emplace_back(key, at->second);
    }
    return found;
  }

  Result<void> insert(std::span<const Change> changes) override {
    if (down) return fail(ErrorKind::kTransient, "the server closed the connection");
    for (const Change& change : changes) inserted.push_back(change.key + " " + change.operation);
    return {};
  }

  Result<void> commit() override {
    ++commits;
    return {};
  }

  Schema keyspaces{
      .keyspaces = {{"stock:*", "counter"}, {"price:*", "register"}, {"buyers:*", "set"}},
      .limits = {}};
  std::map<std::pair<std::string, std::string>, crdt::Totals> near;
  std::vector<std::string> inserted;
  int commits = 0;
  bool down = false;
};

struct Service {
  /// The message of a change that must be refused, with nothing buffered.
  std::string refusal(Change change) {
    const std::size_t before = tx.size();
    const auto written = tx.write(std::move(change));
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().kind == ErrorKind::kInvalid);
    CHECK(tx.size() == before);
    return written.error().message;
  }
  bool refuses(Change change, std::string_view because) {
    const std::string message = refusal(std::move(change));
    INFO(message);
    return message.find(because) != std::string::npos;
  }

  RecordingConnection connection;
  Transaction tx{connection};
};

TEST_CASE_FIXTURE(Service, "changes are buffered, then inserted in order before the commit") {
  REQUIRE(tx.write(counter::add("stock:1", -6)).has_value());
  REQUIRE(tx.write(set::add("buyers:1", "13047")).has_value());
  REQUIRE(tx.write(register_::set("price:1", "9.99")).has_value());
  CHECK(connection.inserted.empty());
  CHECK(tx.size() == 3);
  REQUIRE(tx.commit().has_value());
  CHECK(connection.inserted ==
        std::vector<std::string>{"stock:1 add", "buyers:1 add", "price:1 set"});
  CHECK(connection.commits == 1);
  CHECK(tx.size() == 0);
}

TEST_CASE_FIXTURE(Service, "a flush inserts and leaves the commit to the caller") {
  REQUIRE(tx.write(counter::add("stock:1", 1)).has_value());
  REQUIRE(tx.flush().has_value());
  CHECK(connection.inserted.size() == 1);
  CHECK(connection.commits == 0);
  REQUIRE(tx.commit().has_value());
  CHECK(connection.inserted.size() == 1);
  CHECK(connection.commits == 1);
}

TEST_CASE_FIXTURE(Service, "a transaction that is dropped writes nothing") {
  {
    Transaction dropped(connection);
    REQUIRE(dropped.write(counter::add("stock:1", 1)).has_value());
  }
  CHECK(connection.inserted.empty());
  CHECK(connection.commits == 0);
}

TEST_CASE_FIXTURE(Service, "a wrong change is refused, and says why") {
  CHECK(refuses(counter::add("", 1), "the key is empty"));
  CHECK(refuses(counter::add("price:1", 1), "is a register by its keyspace, not a counter"));
  CHECK(refuses(counter::add("basket:1", 1), "no keyspace matches key \"basket:1\""));
  CHECK(refuses(counter::add("tributary:watermark", 1), "Tributary's own state"));
  CHECK(refuses({.key = "stock:1", .type = "conuter", .operation = "add"}, "no type \"conuter\""));
  CHECK(refuses({.key = "stock:1", .type = "counter", .operation = "sub"}, "it has add"));
  CHECK(refuses({.key = "stock:1", .type = "counter", .operation = "add", .value = "1"},
                "it takes no value"));
  CHECK(refuses({.key = "buyers:1", .type = "set", .operation = "add", .amount = 1},
                "it takes no amount"));
}

TEST_CASE_FIXTURE(Service, "what is too large is refused, with the limit's name") {
  connection.keyspaces.limits = {
      .key_bytes = 10, .value_bytes = 4, .transaction_changes = 2, .transaction_bytes = 21};
  CHECK(refuses(counter::add("stock:12345", 1), "limits.key_bytes"));
  CHECK(refuses(register_::set("price:1", "12345"), "limits.value_bytes"));
  REQUIRE(tx.write(register_::set("price:1", "1234")).has_value());
  CHECK(refuses(register_::set("price:2", "1234"), "limits.transaction_bytes"));
  VersionVector seen;
  seen.raise(ActorId{8}, Seq{1});
  CHECK(refuses(set::remove("buyers:1", "1", seen), "limits.transaction_bytes"));
  REQUIRE(tx.write(register_::set("price:2", "1")).has_value());
  CHECK(refuses(register_::clear("price:3"), "limits.transaction_changes"));
}

TEST_CASE_FIXTURE(Service, "a refusal leaves the transaction usable") {
  REQUIRE(tx.write(counter::add("stock:1", 1)).has_value());
  static_cast<void>(refusal(counter::add("price:1", 1)));
  REQUIRE(tx.write(counter::add("stock:2", 1)).has_value());
  REQUIRE(tx.commit().has_value());
  CHECK(connection.inserted == std::vector<std::string>{"stock:1 add", "stock:2 add"});
}

TEST_CASE_FIXTURE(Service, "a counter that overflows within the transaction is refused at write") {
  REQUIRE(tx.write(counter::add("stock:1", kMax)).has_value());
  CHECK(refuses(counter::add("stock:1", 1), "\"stock:1\" would overflow"));
  CHECK(refuses(counter::add("stock:1", std::numeric_limits<std::int64_t>::min()), "overflow"));
  REQUIRE(tx.write(counter::add("stock:1", -kMax)).has_value());
  CHECK(refuses(counter::add("stock:1", -1), "\"stock:1\" would overflow"));
  REQUIRE(tx.write(counter::add("stock:2", 1)).has_value());
  CHECK(tx.commit().has_value());
}

TEST_CASE_FIXTURE(Service, "a counter that overflows with its stored total is refused at the end") {
  connection.near[{"stock:1", ""}] = {kMax - 5, 0};
  REQUIRE(tx.write(counter::add("stock:1", 6)).has_value());
  const auto done = tx.commit();
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().kind == ErrorKind::kInvalid);
  CHECK(done.error().message.find("\"stock:1\" would overflow") != std::string::npos);
  CHECK(connection.inserted.empty());
  CHECK(connection.commits == 0);
}

TEST_CASE_FIXTURE(Service, "a counter that just fits its stored total is accepted") {
  connection.near[{"stock:1", ""}] = {kMax - 5, 0};
  REQUIRE(tx.write(counter::add("stock:1", 5)).has_value());
  CHECK(tx.commit().has_value());
}

TEST_CASE_FIXTURE(Service, "after a failed insert nothing is committed and nothing is lost") {
  REQUIRE(tx.write(counter::add("stock:1", 1)).has_value());
  connection.down = true;
  const auto done = tx.commit();
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().kind == ErrorKind::kTransient);
  CHECK(connection.commits == 0);
  CHECK(tx.size() == 1);
  connection.down = false;
  CHECK(tx.commit().has_value());
  CHECK(connection.inserted.size() == 1);
}

TEST_CASE_FIXTURE(Service, "what the database cannot hold is refused at write, not at commit") {
  CHECK(refuses(register_::set("price:\xff", "1"), "not UTF-8"));
  REQUIRE(tx.write(register_::set("price:1", "1")).has_value());
  CHECK(tx.commit().has_value());
}

TEST_CASE_FIXTURE(Service, "a flush that was refused does not stick: the buffer can be dropped") {
  connection.near[{"stock:1", ""}] = {kMax - 5, 0};
  REQUIRE(tx.write(counter::add("stock:1", 6)).has_value());
  CHECK_FALSE(tx.flush().has_value());
  CHECK(tx.size() == 1);
  CHECK_FALSE(tx.flush().has_value());
  tx.clear();
  CHECK(tx.size() == 0);
  REQUIRE(tx.write(counter::add("stock:1", 5)).has_value());
  CHECK(tx.commit().has_value());
  CHECK(connection.inserted == std::vector<std::string>{"stock:1 add"});
}

TEST_CASE_FIXTURE(Service, "a refused change can be taken back without losing those before it") {
  connection.near[{"stock:1", ""}] = {kMax - 5, 0};
  REQUIRE(tx.write(counter::add("stock:2", 1)).has_value());
  const auto before = tx.mark();
  REQUIRE(tx.write(counter::add("stock:1", 6)).has_value());
  CHECK_FALSE(tx.flush().has_value());
  REQUIRE(tx.rollback_to(before).has_value());
  CHECK(tx.commit().has_value());
  CHECK(connection.inserted == std::vector<std::string>{"stock:2 add"});
}

TEST_CASE_FIXTURE(Service, "a savepoint that is rolled back takes its changes along") {
  connection.keyspaces.limits.transaction_changes = 3;
  connection.keyspaces.limits.transaction_bytes = 30;
  REQUIRE(tx.write(counter::add("stock:1", 1)).has_value());
  const auto outer = tx.mark();
  REQUIRE(tx.write(counter::add("stock:1", kMax - 1)).has_value());
  const auto inner = tx.mark();
  REQUIRE(tx.write(counter::add("stock:1", -kMax)).has_value());
  CHECK(refuses(counter::add("stock:2", 1), "limits.transaction_changes"));
  REQUIRE(tx.rollback_to(inner).has_value());
  CHECK(tx.size() == 2);
  // What was dropped counts no more: neither its amount, nor its bytes, nor itself.
  REQUIRE(tx.write(counter::add("stock:1", -kMax)).has_value());
  REQUIRE(tx.rollback_to(inner).has_value());
  CHECK(refuses(counter::add("stock:1", 1), "overflow"));
  REQUIRE(tx.rollback_to(outer).has_value());
  CHECK(tx.size() == 1);
  REQUIRE(tx.write(counter::add("stock:1", kMax - 1)).has_value());
  REQUIRE(tx.write(register_::set("price:1", "123456789")).has_value());
  CHECK(tx.commit().has_value());
  CHECK(connection.inserted ==
        std::vector<std::string>{"stock:1 add", "stock:1 add", "price:1 set"});
}

TEST_CASE_FIXTURE(Service, "a mark that holds no more drops nothing, and says why") {
  const auto ended = [&](const Transaction::Mark& mark, std::string_view why) {
    const std::size_t before = tx.size();
    const auto done = tx.rollback_to(mark);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().kind == ErrorKind::kInvalid);
    INFO(done.error().message);
    CHECK(done.error().message.find(why) != std::string::npos);
    CHECK(tx.size() == before);
  };
  const auto outer = tx.mark();
  REQUIRE(tx.write(counter::add("stock:1", 1)).has_value());
  const auto inner = tx.mark();
  REQUIRE(tx.rollback_to(outer).has_value());
  REQUIRE(tx.write(counter::add("stock:2", 1)).has_value());
  REQUIRE(tx.write(counter::add("stock:3", 1)).has_value());
  ended(inner, "an earlier one");
  REQUIRE(tx.flush().has_value());
  REQUIRE(tx.write(counter::add("stock:4", 1)).has_value());
  ended(outer, "older than a flush");
  const auto fresh = tx.mark();
  REQUIRE(tx.write(counter::add("stock:5", 1)).has_value());
  REQUIRE(tx.rollback_to(fresh).has_value());
  CHECK(tx.size() == 1);
  tx.clear();
  ended(fresh, "cleared");
}

}  // namespace
}  // namespace tributary
