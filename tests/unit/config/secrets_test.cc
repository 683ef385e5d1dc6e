/// Credentials: where they may stand, how they are found, and that they are never shown.
#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"
#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

/// An environment variable for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

/// The path of a new file.
std::string write(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name) << text;
  return folder / name;
}

std::string with_broker(const std::string& more) {
  return with_line(4, "    broker: {url: \"amqp://127.0.0.1:5672\", " + more + "}");
}

TEST_CASE("a password in a URL is a mistake") {
  const std::string inline_password =
      "credentials never stand inline by default; use password_env or password_file, or set "
      "allow_inline_passwords: true";
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://me:pw@h\"}")) ==
        Lines{"t:4: regions.eu.broker.url: " + inline_password});
  CHECK(mistakes_in(with_line(12, "    database: postgresql://me:pw@h/d")) ==
        Lines{"t:12: origins.shop_eu.database: " + inline_password});
  CHECK(mistakes_in(with_line(12, "    database: postgresql://me@h/d?password=pw")).size() == 1);
}

TEST_CASE("a user name alone, or an @ behind the host, is no password") {
  CHECK(mistakes_in(with_line(4,
                              "    broker: {url: \"amqp://me@h:5672/a:b%40c\", "
                              "password_env: PW}"))
            .empty());
  CHECK(mistakes_in(with_line(15, "    database: \"sqlite:///srv/a:b@c/till.db\"")).empty());
}

TEST_CASE("half a login to a broker is a mistake, as its other half would be the guest's") {
  const std::string no_password =
      "a broker's user needs a password; give password_env or password_file";
  const std::string no_user = "the password is nobody's; give username, too";
  CHECK(mistakes_in(with_line(4, "    broker: {url: \"amqp://me@h\"}")) ==
        Lines{"t:4: regions.eu.broker.url: " + no_password});
  CHECK(mistakes_in(with_broker("username: me")) ==
        Lines{"t:4: regions.eu.broker.username: " + no_password});
  CHECK(mistakes_in(with_broker("password_env: PW")) ==
        Lines{"t:4: regions.eu.broker.url: " + no_user});
  CHECK(mistakes_in(with_broker("password_file: /pw")) ==
        Lines{"t:4: regions.eu.broker.url: " + no_user});
  CHECK(mistakes_in(with_broker("username: me, password_env: PW")).empty());
}

TEST_CASE("allowed inline passwords move out of the URL, decoded") {
  const auto loaded =
      parse_topology("allow_inline_passwords: true\n" +
                     with_line(4, "    broker: {url: \"amqp://me:p%40w@127.0.0.1:5672/v\"}"));
  REQUIRE(told(loaded.mistakes) == Lines{});
  const Broker& broker = loaded.topology.regions[0].broker;
  CHECK(broker.url == "amqp://127.0.0.1:5672/v");
  CHECK(broker.credentials.username == "me");
  CHECK(broker.credentials.password == "p@w");
}

TEST_CASE("a password named twice is a mistake") {
  CHECK(
      mistakes_in(with_broker("username: me, password_env: A, password_file: b")) ==
      Lines{"t:4: regions.eu.broker.password_file: give password_env or password_file, not both"});
}

TEST_CASE("credentials for SQLite are a mistake") {
  CHECK(mistakes_in(with_end("").insert(joined(good()).find("keyspaces:"), "    username: me\n")) ==
        Lines{"t:16: origins.till_us.username: SQLite has no users; remove this key"});
}

TEST_CASE("a password comes from the environment") {
  const Variable variable("TRIBUTARY_TEST_PASSWORD", "s3cret");
  auto loaded = parse_topology(with_broker("username: me, password_env: TRIBUTARY_TEST_PASSWORD"));
  REQUIRE(told(loaded.mistakes) == Lines{});
  CHECK(resolve_secrets(loaded.topology).empty());
  CHECK(loaded.topology.regions[0].broker.credentials.password == "s3cret");
}

TEST_CASE("a variable that is not set or empty is a mistake, at resolving only") {
  auto loaded = parse_topology(with_broker("username: me, password_env: TRIBUTARY_TEST_UNSET"));
  REQUIRE(told(loaded.mistakes) == Lines{});
  CHECK(told(resolve_secrets(loaded.topology)) ==
        Lines{"t:4: regions.eu.broker.password_env: environment variable TRIBUTARY_TEST_UNSET is "
              "not set"});
  const Variable variable("TRIBUTARY_TEST_UNSET", "");
  CHECK(resolve_secrets(loaded.topology).size() == 1);
}

TEST_CASE("a password that stands where a variable's name belongs is not shown") {
  auto loaded = parse_topology(with_broker("username: me, password_env: topsecret/x"));
  CHECK(loaded.mistakes.size() == 1);
  Lines all = told(loaded.mistakes);
  for (const std::string& line : told(resolve_secrets(loaded.topology))) all.push_back(line);
  for (const std::string& line : all) CHECK(line.find("topsecret") == std::string::npos);
}

TEST_CASE("a password file counts from the topology's directory; its first line is the password") {
  const TemporaryFolder folder;
  write(folder, "broker.password", "s3cret\r\nanything\n");
  const std::string path =
      write(folder, "topology.yaml", with_broker("username: me, password_file: broker.password"));
  LoadedTopology loaded = load_topology(path);
  REQUIRE(told(loaded.mistakes) == Lines{});
  CHECK(told(resolve_secrets(loaded.topology)) == Lines{});
  CHECK(loaded.topology.regions[0].broker.credentials.password == "s3cret");
}

TEST_CASE("a password file that is missing or empty is a mistake with its line") {
  const TemporaryFolder folder;
  const std::string empty = write(folder, "empty", "");
  auto loaded = parse_topology(with_broker("password_file: /nonexistent/password"));
  CHECK(told(resolve_secrets(loaded.topology)) ==
        Lines{"t:4: regions.eu.broker.password_file: file /nonexistent/password cannot be read: "
              "No such file or directory"});
  loaded = parse_topology(with_broker("password_file: " + empty));
  CHECK(told(resolve_secrets(loaded.topology)) ==
        Lines{"t:4: regions.eu.broker.password_file: file " + empty + " is empty"});
}

TEST_CASE("rendering never shows a password") {
  const Variable variable("TRIBUTARY_TEST_PASSWORD", "s3cret");
  auto loaded = parse_topology("allow_inline_passwords: true\n" +
                               with_line(12,
                                         "    database: \"postgresql://me:hunter2@h/shop\"\n"
                                         "    username: me"));
  loaded.topology.regions[0].broker.credentials.password_env = "TRIBUTARY_TEST_PASSWORD";
  REQUIRE(told(loaded.mistakes) == Lines{});
  REQUIRE(resolve_secrets(loaded.topology).empty());
  const std::string text = render(loaded.topology);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find("postgresql://me@h/shop") != std::string::npos);
}

}  // namespace
}  // namespace tributary::config
