/// Addresses: what works at run time is accepted, what cannot is a mistake, and no part of a URL is
/// ever repeated, whatever its spelling, for it may be a secret.
#include <doctest/doctest.h>

#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

constexpr std::string_view kSecret = "SeCrEt";

Lines with_broker(const std::string& url, const std::string& more = "") {
  return mistakes_in(more + with_line(4, "    broker: {url: \"" + url + "\"}"));
}
Lines with_replica(const std::string& url) {
  return mistakes_in(with_line(5, "    replica: {url: \"" + url + "\"}"));
}
Lines with_database(const std::string& url) {
  return mistakes_in(with_line(12, "    database: \"" + url + "\""));
}

bool shows_secret(const Lines& lines) {
  for (const std::string& line : lines) {
    if (line.find(kSecret) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("a URL with a password in it is a mistake that does not show it, however it is spelt") {
  const char* const databases[] = {
      "postgresql://shop:12/SeCrEt34@127.0.0.1:5432/shop",
      "postgresql://shop:otS33/SeCrEt=@127.0.0.1:5432/shop",
      "postgresql://shop:pa?SeCrEt@h/shop",
      "postgresql://shop:pa#SeCrEt@h/shop",
      "postgresql://shop:p@SeCrEt@h/shop",
      "POSTGRES://shop:SeCrEt@h/shop",
      "postgresql://shop:%53eCrEt@h/shop",
      "postgresql://shop:SeCrEt%@h/shop",
      "postgresql://shop@h/shop?sslmode=prefer&passw%6Frd=SeCrEt",
      "postgresql://shop@h/shop?sslpassword=SeCrEt",
      "postgresql://shop@h/shop?PASSWORD=SeCrEt",
      "postgresql://shop@h/shop?SeCrEt",
      "postgresql://shop@h/shop?SeCrEt=1",
      "postgresql://shop@h/shop?password=a&SeCrEt=1",
      "postgresql://shop@h/shop?oauth_client_secret=SeCrEt",
      "host=h user=shop password=SeCrEt dbname=shop",
      "sqlite://u:SeCrEt@/var/lib/x.db",
      "sqlite:///var/lib/x.db?key=SeCrEt",
      "mysql://u:SeCrEt@h/d",
  };
  for (const char* url : databases) {
    INFO(url);
    const Lines lines = with_database(url);
    CHECK(lines.size() == 1);
    CHECK_FALSE(shows_secret(lines));
  }
  for (const char* url :
       {"amqp://app:12/SeCrEt34@127.0.0.1:5672", "amqp://app:pa?SeCrEt@h:5672",
        "Amqps://app:SeCrEt@h", "amqp://h?password=SeCrEt", "amqp://h/v#SeCrEt"}) {
    INFO(url);
    CHECK(with_broker(url).size() == 1);
    CHECK_FALSE(shows_secret(with_broker(url)));
    const Lines from = mistakes_in(with_line(
        4, "    broker: {url: \"amqp://h\", url_from: {us: \"" + std::string(url) + "\"}}"));
    CHECK(from.size() == 1);
    CHECK_FALSE(shows_secret(from));
  }
  for (const char* url : {"redis://:12/SeCrEt34@127.0.0.1:6379/0", "REDIS://:SeCrEt@h",
                          "redis://h/0?password=SeCrEt", "unix://:SeCrEt@/run/redis.sock",
                          "unix:///run/redis.sock?password=SeCrEt", "redis://h/SeCrEt"}) {
    INFO(url);
    CHECK(with_replica(url).size() == 1);
    CHECK_FALSE(shows_secret(with_replica(url)));
  }
}

TEST_CASE("a URL in the wrong place is not repeated either") {
  for (const char* line :
       {"    broker: \"amqp://u:SeCrEt@h\"", "    broker: {url:amqp://u:SeCrEt@h}",
        "    broker: {url: amqp://h, url_from: {\"amqp://u:SeCrEt@h\": us}}",
        "    broker: {url: amqp://h, password_env: \"Se/CrEt SeCrEt\"}"}) {
    INFO(line);
    const Lines lines = mistakes_in(with_line(4, line));
    CHECK(lines.size() >= 1);
    CHECK_FALSE(shows_secret(lines));
  }
  for (const char* line : {"logging: {level: \"redis://:SeCrEt@h\"}", "version: 1:SeCrEt",
                           "relay: {batch_bytes: \"a:SeCrEt@h\"}", "\"a:SeCrEt@h\": 1"}) {
    INFO(line);
    const Lines lines = mistakes_in(with_end(line));
    CHECK(lines.size() >= 1);
    CHECK_FALSE(shows_secret(lines));
  }
  CHECK_FALSE(shows_secret(mistakes_in(with_line(17, "  - {pattern: a, type: \"u:SeCrEt@h\"}"))));
  CHECK_FALSE(shows_secret(mistakes_in(with_line(11, "    region: \"redis://:SeCrEt@h\""))));
}

TEST_CASE("percent-encoded users and passwords survive the round trip") {
  const auto loaded = parse_topology(
      "allow_inline_passwords: true\n" +
      with_line(12, "    database: \"postgresql://shop%40srv01:p%3Aw%2Fd%401%25@h/sh%2Fop\""));
  REQUIRE(told(loaded.mistakes) == Lines{});
  const Origin& shop = loaded.topology.origins[0];
  CHECK(shop.database == "postgresql://shop%40srv01@h/sh%2Fop");
  CHECK(shop.credentials.password == "p:w/d@1%");
  const std::string shown = render(loaded.topology);
  CHECK(shown.find("p:w/d") == std::string::npos);
  CHECK(parse_topology(shown).topology.origins[0].database == shop.database);

  const auto broker = parse_topology(
      "allow_inline_passwords: true\n" +
      with_line(4, "    broker: {url: \"AMQP://a%40b:p%3Aw%2Fd%401%25@[::1]:5672/v%2fh\"}"));
  REQUIRE(told(broker.mistakes) == Lines{});
  const Broker& read = broker.topology.regions[0].broker;
  CHECK(read.url == "amqp://[::1]:5672/v%2Fh");
  CHECK(read.credentials.username == "a@b");
  CHECK(read.credentials.password == "p:w/d@1%");
}

TEST_CASE("parameters that may hold a secret are not shown, and those that hold none are") {
  const auto shown = [](const std::string& query) {
    const auto loaded =
        parse_topology(with_line(12, "    database: \"postgresql://shop@h/shop?" + query + "\""));
    REQUIRE(told(loaded.mistakes) == Lines{});
    CHECK(loaded.topology.origins[0].database.find("hidden") == std::string::npos);
    const std::string text = render(loaded.topology);
    const std::size_t mark = text.find("shop?") + 5;
    return text.substr(mark, text.find_first_of("\"\n", mark) - mark);
  };
  CHECK(shown("options=-c%20app.token%3DSeCrEt%20-c%20jit%3Doff&connect_timeout=3") ==
        "options=-c%20app.token%3Dhidden%20-c%20jit%3Doff&connect_timeout=3");
  CHECK(shown("options=--app.token%3DSeCrEt%20-cx%3DSeCrEt") ==
        "options=--app.token%3Dhidden%20-c%20x%3Dhidden");
  CHECK(shown("options=-SeCrEt%20--jit%3D0") == "options=hidden%20--jit%3D0");
  CHECK(shown("passfile=/SeCrEt&service=SeCrEt&sslmode=require") ==
        "passfile=hidden&service=hidden&sslmode=require");
}

TEST_CASE("what is legal is accepted") {
  for (const char* url :
       {"postgresql://",
        "postgresql:///shop",
        "postgresql://u@h",
        "postgresql://u@[2001:db8::1]/d",
        "postgresql://u@h1:5432,h2:5433,[::1]/d?target_session_attrs=read-write",
        "postgresql:///shop?host=/run/pg&port=5433&user=u",
        "postgresql://%2Frun%2Fpg/shop",
        "postgresql://u@h:/d",
        "postgresql://u@h/d?",
        "postgresql://u@h/d?sslmode=prefer&",
        "postgresql:///d?hostaddr=127.0.0.1,::1&port=1,2",
        "postgresql://u@h/d?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=3",
        "postgres://u@h/d?options=-c%20statement_timeout%3D0&ssl=true&application_name=a%40b",
        "postgres://u@h/d?options=-c%20default_transaction_read_only%3Doff%20-S%20--jit%3D0",
        "postgres://u@h/d?options=-c%20session_replication_role%3Dorigin%20-c%20app.x%3Da%5C%20b",
        "postgres://u@h/d?options=-c%20client_encoding%3DUTF8%20--bytea-output%3DHex",
        "postgres://u@h/d?options=-cdefault_transaction_isolation%3Dread%5C%20committed",
        "sqlite:///srv/a:b@c/my%20till.db",
        "sqlite:////srv/till.db",
        "SQLite:///srv/100%25.db"}) {
    INFO(url);
    CHECK(with_database(url) == Lines{});
  }
  for (const char* url : {"amqp://h", "amqp://h/", "amqp://h/%2F", "amqp://h/%2f", "amqp://h/a%40b",
                          "amqps://[::1]:5671/v", "amqp://my_broker.:1"}) {
    INFO(url);
    CHECK(with_broker(url) == Lines{});
  }
  for (const char* url : {"redis://h", "redis://h/", "redis://[::1]:7000/15",
                          "unix:///run/redis/redis.sock", "unix:///run/r@1/s.sock?db=3"}) {
    INFO(url);
    CHECK(with_replica(url) == Lines{});
  }
}

TEST_CASE("what cannot work at run time is a mistake") {
  for (const char* url :
       {"postgresql://u@h/d?sslmod=require",
        "postgresql://u@h/d?sslmode=on",
        "postgresql://u@h:0/d",
        "postgresql://u@h1:1,h2:x/d",
        "postgresql:///d?port=70000",
        "postgresql://u@h/d?connect_timeout=soon",
        "postgresql://u@h/d?replication=database",
        "postgresql://u@h/d?target_session_attrs=standby",
        "postgresql://u@h/d?client_encoding=LATIN1",
        "postgresql://u@h/d?sslmode=require&sslmode=disable",
        "postgresql://u@h/d?host=i",
        "postgresql://u@h/d?user=v",
        "postgresql://u@h/d?&",
        "postgresql://u@h/d?a=b=c",
        "postgresql://u@h/d%zz",
        "postgresql://u@h/d%00",
        "postgresql://[::1/d",
        "postgresql://a b/d",
        "postgresql:///d?host=a,b&port=1,2,3",
        "postgresql:///d?hostaddr=h",
        "postgresql://u@h/d?options=-c%20default_transaction_read_only%3Don",
        "postgresql://u@h/d?options=-cdefault_transaction_read_only%3Dtru",
        "postgresql://u@h/d?options=--default-transaction-read-only%3D1",
        "postgresql://u@h/d?options=-c%20jit%3Doff%20-c%20Transaction_Read_Only%3DYES",
        "postgresql://u@h/d?options=-c%20session_replication_role%3Dreplica",
        "postgresql://u@h/d?options=--session%5C-replication-role%3Dreplica",
        "postgresql://u@h/d?options=-c%20client_encoding%3DLATIN1",
        "postgresql://u@h/d?options=-cClient_Encoding%3Dlatin1",
        "postgresql://u@h/d?options=--client-encoding%3Dlatin1",
        "postgresql://u@h/d?options=-c%20client%5C_encoding%3D%4c%41TIN1",
        "postgresql://u@h/d?options=-c%20jit%3Doff%20--standard_conforming_strings%3Dof",
        "postgresql://u@h/d?options=-c%20bytea_output%3Descape",
        "postgresql://u@h/d?options=-c%20row_security%3D0",
        "postgresql://u@h/d?options=-c%20default_transaction_isolation%3Dserializable",
        "postgresql://u@h/d?options=-c%20statement_timeout",
        "postgresql://u@h/d?options=-c",
        "postgresql://u@h/d?options=statement_timeout%3D0",
        "sqlite:till.db",
        "sqlite://till.db",
        "sqlite://localhost/srv/till.db",
        "sqlite:///",
        "sqlite:///srv/",
        "sqlite:///srv/till.db?mode=ro",
        "sqlite:///srv/a%2",
        "sqlite::memory:",
        "sqlite:///srv/a#b"}) {
    INFO(url);
    CHECK(with_database(url).size() == 1);
  }
  for (const char* url :
       {"amqp://h:0", "amqp://h:5672x", "amqp://h/a/b", "amqp://h/%", "amqp://h/%zz",
        "amqp://h?heartbeat=10", "amqp://a,b", "amqp://[::g]", "amqp://1.2.3", "amqp:///v"}) {
    INFO(url);
    CHECK(with_broker(url).size() == 1);
  }
  CHECK(with_broker("amqp://h/" + std::string(256, 'v')).size() == 1);
  for (const char* url : {"redis://h/0/1", "redis://h/-1", "redis://h/0?db=1", "unix://run/r.sock",
                          "unix:///run/r.sock?db=x", "unix:///run/", "redis://me@h"}) {
    INFO(url);
    CHECK(with_replica(url).size() == 1);
  }
}

TEST_CASE("an unknown parameter is counted, and the known one that may be meant is named") {
  CHECK(with_database("postgresql://u@h/d?connect_timeout=3&sslmod=require") ==
        Lines{"t:12: origins.shop_eu.database: parameter 2 behind the ? is none that libpq 15 "
              "knows; did you mean \"sslmode\"?"});
}

TEST_CASE("two regions on one Redis are refused, whatever its spelling") {
  for (const char* url :
       {"redis://127.0.0.1:6380/0", "redis://LOCALHOST:6380", "redis://[::1]:6380/",
        "redis://127.0.0.1:6380/00", "redis://[::ffff:127.0.0.1]:6380", "redis://0.0.0.0:6380",
        "redis://[::]:6380", "redis://[::ffff:0.0.0.0]:6380"}) {
    INFO(url);
    Lines lines = good();
    lines[4] = "    replica: {url: \"" + std::string(url) + "\"}";
    CHECK(mistakes_in(joined(lines)) ==
          Lines{"t:8: regions.us.replica.url: region \"eu\" already uses this Redis database; a "
                "region needs its own"});
  }
  CHECK(with_replica("redis://127.0.0.1:6380/1") == Lines{});
  CHECK(with_replica("redis://127.0.0.2.example:6380/0") == Lines{});
}

TEST_CASE("two origins on one database are refused, whatever its spelling") {
  for (const char* url :
       {"postgresql://other@LocalHost:5432/shop_eu", "postgresql:///shop_eu",
        "postgresql:///shop_eu?host=/var/run/postgresql", "postgresql://h2,127.0.0.1/shop_eu",
        "postgresql://%2Ftmp/shop_eu?port=5432", "postgresql:///?dbname=shop_eu&host=127.0.0.1",
        "postgresql://h/shop_eu?hostaddr=127.0.0.1", "postgresql://shop_eu@127.0.0.1"}) {
    INFO(url);
    CHECK(mistakes_in(with_line(15, "    database: \"" + std::string(url) + "\"")) ==
          Lines{"t:15: origins.till_us.database: origin \"shop_eu\" already uses this database; an "
                "origin needs its own"});
  }
  Lines lines = good();
  lines[11] = "    database: \"sqlite:///var/lib/x/..//till.db\"";
  CHECK(mistakes_in(joined(lines)).size() == 1);
  CHECK(
      mistakes_in(with_line(15, "    database: \"postgresql://127.0.0.1:5433/shop_eu\"")).empty());
}

TEST_CASE("all URLs of a broker log in alike") {
  const auto with = [](const std::string& url, const std::string& from) {
    return mistakes_in(
        "allow_inline_passwords: true\n" +
        with_line(4, "    broker: {url: \"" + url + "\", url_from: {us: \"" + from + "\"}}"));
  };
  CHECK(with("amqp://a:p@h", "amqp://a:p@i") == Lines{});
  CHECK(with("amqp://a:p@h", "amqp://i") == Lines{});
  CHECK(with("amqp://a:p@h", "amqp://a:q@i").size() == 1);
  CHECK(with("amqp://a:p@h", "amqp://b:p@i").size() == 1);
}

}  // namespace
}  // namespace tributary::config
