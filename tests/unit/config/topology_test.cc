/// What a good topology is read as, and rendered as; the samples and the documentation too.
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "config/settings.h"
#include "tests/unit/config/text.h"

namespace tributary::config {
namespace {

std::string source_file(const std::string& name) {
  return std::string(TRIBUTARY_SOURCE_DIR) + "/" + name;
}

std::string content(const std::string& name) {
  std::ifstream file(source_file(name));
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The YAML block of docs/topology.md.
std::string documented() {
  const std::string page = content("docs/topology.md");
  const std::size_t start = page.find("```yaml\n") + 8;
  return page.substr(start, page.find("```\n", start) - start);
}

TEST_CASE("places are found by name, and are in the order of the file") {
  const Topology topology = parse_topology(joined(good())).topology;
  REQUIRE(topology.regions.size() == 2);
  CHECK(topology.regions[1].name == RegionName{"us"});
  REQUIRE(topology.origin({"till_us"}) != nullptr);
  CHECK(topology.origin({"till_us"})->region == RegionName{"us"});
  CHECK(topology.origin({"till_us"})->database == "sqlite:///var/lib/till.db");
  CHECK(topology.region({"eu"})->replica.url == "redis://127.0.0.1:6379/0");
  CHECK(topology.region({"asia"}) == nullptr);
  CHECK(topology.origin({"eu"}) == nullptr);
}

TEST_CASE("a broker is reached by url_from where the viewer has one") {
  const auto loaded = parse_topology(
      with_line(4, "    broker: {url: \"amqp://h:1\", url_from: {us: \"amqp://h:2\"}}"));
  REQUIRE(told(loaded.mistakes) == Lines{});
  const Region& eu = *loaded.topology.region({"eu"});
  CHECK(broker_url(eu, {"eu"}) == "amqp://h:1");
  CHECK(broker_url(eu, {"us"}) == "amqp://h:2");
}

/// The largest that goes together with the largest of all others.
std::int64_t largest(const Setting& setting) {
  const bool shared = setting.section == "limits" && setting.key == "value_bytes";
  return shared ? setting.most - find_setting("limits", "key_bytes")->most : setting.most;
}

TEST_CASE("every setting is read from its own key") {
  std::string yaml = joined(good());
  std::string_view open;
  for (const Setting& setting : settings()) {
    if (setting.section != open) yaml += std::string(open = setting.section) + ":\n";
    yaml += "  " + std::string(setting.key) + ": " + std::to_string(largest(setting)) + "\n";
  }
  const auto loaded = parse_topology(yaml);
  REQUIRE(told(loaded.mistakes) == Lines{});
  for (const Setting& setting : settings()) {
    INFO(std::string(setting.section) << "." << std::string(setting.key));
    CHECK(setting.get(loaded.topology) == largest(setting));
  }
}

TEST_CASE("defaults lie within their bounds") {
  for (const Setting& setting : settings()) {
    INFO(std::string(setting.section) << "." << std::string(setting.key));
    CHECK(setting.get(Topology{}) >= setting.least);
    CHECK(setting.get(Topology{}) <= setting.most);
  }
}

TEST_CASE("what is rendered reads as the same topology") {
  const std::string yaml = documented();
  const auto first = parse_topology(yaml);
  REQUIRE(told(first.mistakes) == Lines{});
  const std::string rendered = render(first.topology);
  const auto second = parse_topology(rendered);
  REQUIRE(told(second.mistakes) == Lines{});
  CHECK(render(second.topology) == rendered);
  CHECK(broker_url(*second.topology.region({"eu"}), {"us"}) == "amqps://broker.eu.internal:5671");
  CHECK(second.topology.regions[0].broker.tls.key_file == "client.key");
  CHECK(second.topology.metrics.consumer == "127.0.0.1:9402");
  CHECK(second.topology.schema.keyspaces.size() == 3);
}

TEST_CASE("the documented topology names every setting with its default") {
  const std::string yaml = documented();
  const auto loaded = parse_topology(yaml);
  REQUIRE(told(loaded.mistakes) == Lines{});
  for (const Setting& setting : settings()) {
    INFO(std::string(setting.section) << "." << std::string(setting.key));
    CHECK(yaml.find("  " + std::string(setting.key) + ": ") != std::string::npos);
    CHECK(setting.get(loaded.topology) == setting.get(Topology{}));
  }
}

TEST_CASE("the samples have no mistakes") {
  const LoadedTopology two = load_topology(source_file("config/samples/two-regions.yaml"));
  CHECK(told(two.mistakes) == Lines{});
  CHECK(two.topology.origins.size() == 3);
  const LoadedTopology one = load_topology(source_file("config/samples/single-broker.yaml"));
  CHECK(told(one.mistakes) == Lines{});
  CHECK(one.topology.regions[0].broker.url == one.topology.regions[1].broker.url);
}

}  // namespace
}  // namespace tributary::config
