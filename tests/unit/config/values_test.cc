/// Mistakes of content: numbers, names, references, addresses, keyspaces.
#include <doctest/doctest.h>

#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

TEST_CASE("a version other than 1 is refused") {
  CHECK(mistakes_in(with_line(1, "version: 2")) ==
        Lines{"t:1: version: this program reads version 1, not \"2\""});
}

TEST_CASE("a number that is none, or out of range, is refused with the range") {
  CHECK(mistakes_in(with_end("relay:\n  batch_changes: many\n  poll_min_ms: 0")) ==
        Lines{"t:20: relay.batch_changes: a whole number from 1 to 1000000 is expected here, not "
              "\"many\"",
              "t:21: relay.poll_min_ms: a whole number from 1 to 60000 is expected here, not "
              "\"0\""});
  CHECK(mistakes_in(with_end("limits: {key_bytes: 1.5}")).size() == 1);
  CHECK(mistakes_in(with_end("changelog: {max_bytes: 99999999999999999999}")).size() == 1);
  CHECK(mistakes_in(with_end("clock: {max_skew_ms: }")).size() == 1);
}

TEST_CASE("two settings in the wrong order are one mistake, at the one the file gives") {
  CHECK(mistakes_in(with_end("relay: {poll_min_ms: 100}")) ==
        Lines{"t:19: relay.poll_min_ms: this must not be above poll_max_ms, which is 20"});
  CHECK(mistakes_in(with_end("consumer: {backoff_max_ms: 10}")) ==
        Lines{"t:19: consumer.backoff_max_ms: this must not be below backoff_first_ms, which is "
              "50"});
  CHECK(mistakes_in(with_end("relay: {poll_min_ms: 100, poll_max_ms: 200}")) == Lines{});
  CHECK(mistakes_in(with_end("relay: {poll_min_ms: 100, poll_max_ms: x}")).size() == 1);
}

TEST_CASE("an origin is retired when it says so, and that is shown") {
  const LoadedTopology loaded = parse_topology(with_line(14, "    region: us\n    retired: true"));
  CHECK(told(loaded.mistakes) == Lines{});
  CHECK(loaded.topology.origin({"till_us"})->retired);
  CHECK_FALSE(loaded.topology.origin({"shop_eu"})->retired);
  CHECK(parse_topology(render(loaded.topology)).topology.origin({"till_us"})->retired);
  CHECK(mistakes_in(with_line(14, "    region: us\n    retired: maybe")).size() == 1);
}

TEST_CASE("a name outside a-z 0-9 _ - is refused once, though others refer to it") {
  Lines lines = good();
  lines[2] = "  EU:";
  lines[10] = "    region: EU";
  CHECK(mistakes_in(joined(lines)) ==
        Lines{"t:3: regions.EU: a name must have 1 to 40 of a-z, 0-9, _ and -"});
  CHECK(mistakes_in(with_line(10, "  " + std::string(41, 'x') + ":")).size() == 1);
  CHECK(mistakes_in(with_line(10, "  " + std::string(40, 'x') + ":")).empty());
}

TEST_CASE("a region that nobody names is refused, with the one that may be meant") {
  CHECK(mistakes_in(with_line(11, "    region: ue")) ==
        Lines{"t:11: origins.shop_eu.region: no region is named \"ue\"; did you mean \"eu\"?"});
  CHECK(mistakes_in(with_line(11, "    region: asia")) ==
        Lines{"t:11: origins.shop_eu.region: no region is named \"asia\"; there are: eu, us"});
  CHECK(mistakes_in(with_line(4,
                              "    broker:\n      url: \"amqp://h\"\n      url_from: "
                              "{xx: \"amqp://h:1\"}")) ==
        Lines{"t:6: regions.eu.broker.url_from.xx: no region is named \"xx\"; there are: eu, us"});
}

TEST_CASE("a URL with the wrong scheme is refused with the right ones") {
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"http://h\"}")) ==
        Lines{"t:4: regions.eu.broker.url: the URL must start with amqp:// or amqps://"});
  CHECK(mistakes_in(with_line(5, "    replica: {url: \"127.0.0.1:6379\"}")) ==
        Lines{"t:5: regions.eu.replica.url: the URL must start with redis:// or unix://"});
  CHECK(mistakes_in(with_line(5, "    replica: {url: \"rediss://h\"}")) ==
        Lines{"t:5: regions.eu.replica.url: hiredis 0.14 has no TLS; use redis:// through a TLS "
              "tunnel on loopback"});
  CHECK(mistakes_in(with_line(12, "    database: mysql://h/d")) ==
        Lines{"t:12: origins.shop_eu.database: the URL must start with postgresql:// or "
              "postgres:// or sqlite://"});
}

TEST_CASE("a URL without host, with a bad port or a relative file is refused") {
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://:5672\"}")).size() == 1);
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://h:99999\"}")) ==
        Lines{"t:4: regions.eu.broker.url: the port must be a number from 1 to 65535"});
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://[::1]/vhost\"}")).empty());
  CHECK(mistakes_in(with_line(5, "    replica: {url: \"redis://h/db\"}")) ==
        Lines{"t:5: regions.eu.replica.url: what follows the host must be a database number, as "
              "in /0"});
  CHECK(mistakes_in(with_line(15, "    database: \"sqlite://till.db\"")) ==
        Lines{"t:15: origins.till_us.database: give the file's absolute path, as in "
              "sqlite:///var/lib/shop.db"});
  CHECK(mistakes_in(with_line(12, "    database: \"postgresql:///shop?host=/run/pg\"")).empty());
}

TEST_CASE("two origins with one database are refused, whatever its spelling") {
  CHECK(mistakes_in(with_line(
            15, "    database: \"postgres://me@127.0.0.1:5432/shop_eu?sslmode=prefer\"")) ==
        Lines{"t:15: origins.till_us.database: origin \"shop_eu\" already uses this database; an "
              "origin needs its own"});
  CHECK(mistakes_in(with_line(15, "    database: \"postgresql://127.0.0.1/shop_us\"")).empty());
}

TEST_CASE("TLS files need an amqps URL, and a certificate needs its key") {
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://h\", tls: {ca_file: a}}")) ==
        Lines{"t:4: regions.eu.broker.tls: no URL of this broker uses it; write amqps:// there"});
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqps://h\", tls: {key_file: a}}")) ==
        Lines{"t:4: regions.eu.broker.tls.key_file: cert_file and key_file go together; give "
              "both"});
}

TEST_CASE("an unknown type is refused with those that exist") {
  const Lines lines = mistakes_in(with_line(17, "  - {pattern: \"stock:*\", type: countr}"));
  REQUIRE(lines.size() == 1);
  CHECK(
      lines[0].starts_with("t:17: keyspaces[0].type: there is no type \"countr\"; the types "
                           "are "));
  CHECK(lines[0].find("register, set") != std::string::npos);
  CHECK(lines[0].ends_with("; did you mean \"counter\"?"));
}

TEST_CASE("a pattern that is empty, repeated, reserved or shadowed is refused") {
  CHECK(mistakes_in(with_line(17, "  - {pattern: \"\", type: set}")) ==
        Lines{"t:17: keyspaces[0].pattern: a text is expected here, not an empty text"});
  CHECK(mistakes_in(with_line(18, "  - {pattern: \"stock:*\", type: counter}")) ==
        Lines{"t:18: keyspaces[1].pattern: this pattern stands already in line 17"});
  CHECK(mistakes_in(with_line(18, "  - {pattern: \"stock:eu:*\", type: set}")) ==
        Lines{"t:18: keyspaces[1].pattern: this can never match: \"stock:*\" in line 17 takes all "
              "its keys; put this above"});
  CHECK(mistakes_in(with_line(18, "  - {pattern: \"tributary:*\", type: set}")).size() == 1);
  CHECK(mistakes_in(with_line(18, "  - {pattern: \"*\", type: set}")).empty());
}

TEST_CASE("keyspaces must be a list that is not empty") {
  Lines lines = good();
  lines.resize(15);
  lines.emplace_back("keyspaces: []");
  CHECK(mistakes_in(joined(lines)) ==
        Lines{"t:16: keyspaces: a list of {pattern, type} is expected here, with one at least"});
}

TEST_CASE("logging and metrics are checked") {
  CHECK(mistakes_in(with_end("logging: {level: wran, format: xml}")) ==
        Lines{"t:19: logging.level: \"wran\" is none of debug, info, warn, error; did you mean "
              "\"warn\"?",
              "t:19: logging.format: \"xml\" is none of text, json"});
  CHECK(mistakes_in(with_end("metrics: {relay: \"9401\", consumer: \"127.0.0.1:0\"}")) ==
        Lines{"t:19: metrics.relay: write host:port, as in 127.0.0.1:9401",
              "t:19: metrics.consumer: write host:port, as in 127.0.0.1:9401"});
}

TEST_CASE("a metrics address that cannot be listened on is refused") {
  for (const char* address : {"http://127.0.0.1:9401", "::1:9401", "[::1:9401", "a b:9401", ":9401",
                              "127.0.0:9401", "127.0.0.1:9401,127.0.0.1:9402", "h:65536"}) {
    INFO(address);
    CHECK(mistakes_in(with_end("metrics: {relay: \"" + std::string(address) + "\"}")).size() == 1);
  }
  CHECK(mistakes_in(with_end("metrics: {relay: \"[::1]:9401\", consumer: \"h.example:9401\"}"))
            .empty());
}

TEST_CASE("one metrics address for both daemons is a warning, not a mistake") {
  const auto warnings = [](const std::string& relay, const std::string& consumer) {
    const LoadedTopology loaded = parse_topology(
        with_end("metrics: {relay: \"" + relay + "\", consumer: \"" + consumer + "\"}"));
    CHECK(told(loaded.mistakes) == Lines{});
    return told(loaded.warnings);
  };
  CHECK(warnings("127.0.0.1:9401", "localhost:9401") ==
        Lines{"t:19: metrics.consumer: warning: relay has this address, too; on one host only one "
              "of them can serve metrics, so choose another port"});
  CHECK(warnings("0.0.0.0:9401", "10.0.0.1:9401").size() == 1);
  CHECK(warnings("127.0.0.1:9401", "[::]:9401").size() == 1);
  CHECK(warnings("10.0.0.1:9401", "10.0.0.2:9401").empty());
  CHECK(warnings("127.0.0.1:9401", "127.0.0.1:9402").empty());
}

TEST_CASE("a limit that no batch could carry is refused") {
  CHECK(mistakes_in(with_end("limits: {value_bytes: 4194304}")) ==
        Lines{"t:19: limits.value_bytes: key_bytes and value_bytes together must not be above "
              "4194304, what one batch can carry; they are 4195328"});
  CHECK(mistakes_in(with_end("limits: {value_bytes: 4193280}")).empty());
  CHECK(mistakes_in(with_end("limits: {value_bytes: 4193280, key_bytes: 2000}")).size() == 1);
  CHECK(mistakes_in(with_end("limits: {value_bytes: 4194305}")).size() == 1);
  CHECK(mistakes_in(with_end("relay: {batch_bytes: 65535}")).size() == 1);
  CHECK(mistakes_in(with_end("relay: {batch_bytes: 4194305}")).size() == 1);
}

TEST_CASE("eight different mistakes in one file are eight lines, in the order of the file") {
  const std::string yaml = joined({
      "version: 2",                                          // 1
      "regions:",                                            // 2
      "  eu:",                                               // 3
      "    broker: {url: \"http://127.0.0.1:5672\"}",        // 4
      "    replica: {url: \"redis://:pw@127.0.0.1:6379\"}",  // 5
      "origins:",                                            // 6
      "  shop_eu:",                                          // 7
      "    region: ue",                                      // 8
      "  Till:",                                             // 9
      "    region: eu",                                      // 10
      "    database: \"sqlite:///var/lib/till.db\"",         // 11
      "keyspaces:",                                          // 12
      "  - {pattern: \"stock:*\", type: conter}",            // 13
      "relay: {batch_changs: 10}",                           // 14
  });
  CHECK(
      mistakes_in(yaml) ==
      Lines{
          "t:1: version: this program reads version 1, not \"2\"",
          "t:4: regions.eu.broker.url: the URL must start with amqp:// or amqps://",
          "t:5: regions.eu.replica.url: credentials never stand inline by default; use "
          "password_env or password_file, or set allow_inline_passwords: true",
          "t:7: origins.shop_eu.database: this key is missing",
          "t:8: origins.shop_eu.region: no region is named \"ue\"; did you mean \"eu\"?",
          "t:9: origins.Till: a name must have 1 to 40 of a-z, 0-9, _ and -",
          "t:13: keyspaces[0].type: there is no type \"conter\"; the types are counter, register, "
          "set; did you mean \"counter\"?",
          "t:14: relay.batch_changs: this key is unknown; did you mean \"batch_changes\"?",
      });
}

TEST_CASE("a mistake knows its column") {
  const auto mistakes = parse_topology(with_line(11, "    region: ue")).mistakes;
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].column == 13);
}

}  // namespace
}  // namespace tributary::config
