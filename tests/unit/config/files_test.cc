/// Certificates and keys that a topology names.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"
#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

/// A folder with a topology and what it names.
struct Named {
  TemporaryFolder folder;

  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return folder / name;
  }
  [[nodiscard]] Lines wrong(const std::string& yaml) const {
    const LoadedTopology loaded = load_topology(put("topology.yaml", yaml));
    REQUIRE(told(loaded.mistakes) == Lines{});
    return told(check_files(loaded.topology));
  }
  [[nodiscard]] Lines wrong_with_tls(const std::string& tls) const {
    return wrong(with_line(4, "    broker: {url: \"amqps://h\", tls: {" + tls + "}}"));
  }
  [[nodiscard]] Lines wrong_with_database(const std::string& query) const {
    return wrong(with_line(12, "    database: \"postgresql://u@h/d?" + query + "\""));
  }
};

const char* const kPem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

TEST_CASE("a broker's certificates must be there, in the folder of the topology") {
  const Named named;
  CHECK(named.wrong_with_tls("ca_file: ca.pem") ==
        Lines{"t:4: regions.eu.broker.tls.ca_file: file " + std::string(named.folder / "ca.pem") +
              " cannot be read: No such file or directory"});
  static_cast<void>(named.put("ca.pem", kPem));
  CHECK(named.wrong_with_tls("ca_file: ca.pem") == Lines{});
  CHECK(named.wrong_with_tls("ca_file: ca.pem, cert_file: c.pem, key_file: k.pem").size() == 2);
  CHECK(named.wrong_with_tls("ca_file: .").front().find("is a folder") != std::string::npos);
}

TEST_CASE("a certificate that is empty, or none, is a mistake that does not show it") {
  const Named named;
  static_cast<void>(named.put("ca.pem", ""));
  CHECK(named.wrong_with_tls("ca_file: ca.pem").size() == 1);
  static_cast<void>(named.put("ca.pem", "s3cret"));
  const Lines lines = named.wrong_with_tls("ca_file: ca.pem");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("s3cret") == std::string::npos);
  CHECK(lines[0].find("PEM") != std::string::npos);
}

TEST_CASE("the files that a PostgreSQL URL names must be there") {
  const Named named;
  CHECK(named.wrong_with_database("sslmode=verify-full&sslrootcert=/nonexistent/ca.pem") ==
        Lines{"t:12: origins.shop_eu.database: sslrootcert: file /nonexistent/ca.pem cannot be "
              "read: No such file or directory"});
  CHECK(named.wrong_with_database("sslcert=/nonexistent/c&sslkey=/nonexistent/k").size() == 2);
  CHECK(named.wrong_with_database("sslcrldir=/nonexistent").size() == 1);
  CHECK(named.wrong_with_database("sslkey=engine:key&sslrootcert=somewhere") == Lines{});
  const std::string ca = named.put("ca.pem", kPem);
  CHECK(named.wrong_with_database("sslrootcert=" + ca) == Lines{});
}

}  // namespace
}  // namespace tributary::config
