/// Mistakes of form: YAML itself, kinds, unknown, repeated and missing keys, and where they stand.
#include <doctest/doctest.h>

#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

TEST_CASE("a good topology has no mistakes") { CHECK(mistakes_in(joined(good())) == Lines{}); }

TEST_CASE("a file that is not YAML is one mistake with its line") {
  const Lines lines = mistakes_in(with_line(4, "    broker: {url: \"amqp://x\""));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("t:5: not YAML: "));
}

TEST_CASE("an unknown key is a mistake that names the known one nearby") {
  CHECK(mistakes_in(with_line(14, "    regoin: us")) ==
        Lines{"t:14: origins.till_us.regoin: this key is unknown; did you mean \"region\"?"});
  CHECK(mistakes_in(with_end("realy: {}")) ==
        Lines{"t:19: realy: this key is unknown; did you mean \"relay\"?"});
  CHECK(mistakes_in(with_end("logging: {colour: red}")) ==
        Lines{"t:19: logging.colour: this key is unknown; known here: format, level"});
}

TEST_CASE("a misspelt required key is one mistake, whatever stands below it") {
  CHECK(mistakes_in(with_line(2, "reginos:")) ==
        Lines{"t:2: reginos: this key is unknown; did you mean \"regions\"?"});
  CHECK(mistakes_in(with_line(7, "    brokr: {url: \"amqp://h\"}")) ==
        Lines{"t:7: regions.us.brokr: this key is unknown; did you mean \"broker\"?"});
}

TEST_CASE("a repeated key is a mistake at its second place") {
  CHECK(mistakes_in(with_end("logging: {level: info}\nlogging: {level: warn}")) ==
        Lines{"t:20: logging: this key stands already in line 19; keep one of them"});
  CHECK(mistakes_in(with_line(13, "  shop_eu:")) ==
        Lines{"t:13: origins.shop_eu: this key stands already in line 10; keep one of them"});
}

TEST_CASE("a missing key is a mistake at the line of what lacks it") {
  CHECK(mistakes_in(with_line(1, "")) == Lines{"t:1: version: this key is missing"});
  CHECK(mistakes_in(with_line(11, "")) ==
        Lines{"t:10: origins.shop_eu.region: this key is missing"});
  CHECK(mistakes_in(with_line(8, "")) == Lines{"t:6: regions.us.replica: this key is missing"});
  CHECK(mistakes_in(with_line(18, "  - {pattern: \"cart:*\"}")) ==
        Lines{"t:18: keyspaces[1].type: this key is missing"});
}

TEST_CASE("a value of the wrong kind is one mistake, at its key when it has no text") {
  CHECK(mistakes_in(with_line(11, "    region: [eu]")) ==
        Lines{"t:11: origins.shop_eu.region: a text is expected here, not a list"});
  CHECK(mistakes_in(with_line(11, "    region:")) ==
        Lines{"t:11: origins.shop_eu.region: a text is expected here, not nothing"});
  CHECK(mistakes_in(with_line(4, "    broker: here")) ==
        Lines{"t:4: regions.eu.broker: a mapping (key: value) is expected here, not a text"});
  CHECK(mistakes_in(with_end("relay:\n  - 1")) ==
        Lines{"t:19: relay: a mapping (key: value) is expected here, not a list"});
  CHECK(mistakes_in(with_end("? [a, b]\n: 1")) ==
        Lines{"t:19: a key must be a plain text, not a list or a mapping"});
  CHECK(mistakes_in("") == Lines{"t:1: a mapping (key: value) is expected here, not nothing"});
}

TEST_CASE("a value on a line of its own is reported there") {
  CHECK(mistakes_in(with_line(11, "    region:\n      ue")) ==
        Lines{"t:12: origins.shop_eu.region: no region is named \"ue\"; did you mean \"eu\"?"});
}

TEST_CASE("a value that came through an alias is reported where it is used") {
  CHECK(mistakes_in("version: &one 1\n" + with_line(1, "").substr(1) +
                    "relay: {batch_bytes: *one}") ==
        Lines{"t:19: relay.batch_bytes: a whole number from 65536 to 4194304 is expected here, "
              "not \"1\""});
}

TEST_CASE("an alias that repeats itself without bound is a mistake, not a crash") {
  CHECK(mistakes_in("a: &a {b: *a}").size() == 1);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string inner = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner;
    for (int j = 0; j < 9; ++j) laughs += ", " + inner;
    laughs += "]\n";
  }
  CHECK(mistakes_in(laughs) ==
        Lines{"t:1: the file is nested or repeated without bound; write out its aliases"});
}

TEST_CASE("a second document is a mistake") {
  const Lines lines = mistakes_in(with_end("---\nversion: 1"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == "t:20: a second document starts here; keep one per file");
}

TEST_CASE("a missing section is one mistake and silences what would follow from it") {
  CHECK(mistakes_in("version: 1\n") == Lines{"t:1: regions: this key is missing",
                                             "t:1: origins: this key is missing",
                                             "t:1: keyspaces: this key is missing"});
  Lines lines = good();
  lines.erase(lines.begin() + 1, lines.begin() + 8);
  CHECK(mistakes_in(joined(lines)) == Lines{"t:1: regions: this key is missing"});
}

TEST_CASE("a file that cannot be read says so") {
  CHECK(told(load_topology("/nonexistent.yaml").mistakes) ==
        Lines{"t: cannot be read (No such file or directory); name the topology with -c"});
  CHECK(told(load_topology("/tmp").mistakes) ==
        Lines{"t: cannot be read (it is a directory); name the topology with -c"});
}

}  // namespace
}  // namespace tributary::config
