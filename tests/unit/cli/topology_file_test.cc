/// A topology file that changes under a running daemon.
#include "cli/topology_file.h"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "base/log.h"
#include "tests/temporary_folder.h"
#include "tests/unit/config/text.h"
#include "tests/unit/stderr_of.h"

namespace tributary::cli {
namespace {

using config::good;
using config::joined;
using config::with_end;
using config::with_line;

/// A daemon's view of a file, and the operator who writes it.
struct Followed {
  TemporaryFolder folder;
  std::string path = folder / "topology.yaml";
  std::string text = write(joined(good()));
  TopologyFile file{path};

  std::string write(const std::string& now) const {
    std::ofstream(path, std::ios::binary) << now;
    return now;
  }
  /// How many keyspaces the topology has that the next `looks` give; none was given: nullopt.
  std::optional<std::size_t> followed(int looks) {
    std::optional<std::size_t> keyspaces;
    for (int i = 0; i < looks; ++i) {
      if (const auto topology = file.look()) keyspaces = topology->schema.keyspaces.size();
    }
    return keyspaces;
  }
};

const char* const kThird = "  - {pattern: \"gift:*\", type: set}";

template <typename Action>
std::string logged(Action action) {
  std::string text = stderr_of([&] {
    log::configure("unit", log::Level::kInfo, log::Format::kText);
    action();
  });
  log::configure("unit", log::Level::kOff, log::Format::kText);
  return text;
}

TEST_CASE("a file that says the same is no news, written again or not") {
  Followed it;
  CHECK_FALSE(it.followed(3));
  it.write(it.text);
  CHECK_FALSE(it.followed(3));
  CHECK_FALSE(it.file.look_at_once());
}

TEST_CASE("a file that says something else is followed once, when it stands still") {
  Followed it;
  it.write(with_end(kThird));
  CHECK_FALSE(it.followed(1));
  CHECK(it.followed(1) == 3);
  CHECK_FALSE(it.followed(3));
  it.write(it.text);
  CHECK(it.followed(2) == 2);
}

TEST_CASE("a half-written file is not followed while it grows, even if it makes sense") {
  Followed it;
  const std::string whole = with_end(kThird);
  const std::string half = whole.substr(0, whole.find("  - {pattern: \"cart:*\""));
  REQUIRE(config::mistakes_in(half).empty());
  const std::string log = logged([&] {
    for (const std::string& now : {std::string(), whole.substr(0, 100), half}) {
      it.write(now);
      CHECK_FALSE(it.followed(1));
    }
  });
  CHECK(log.empty());
  it.write(whole);
  CHECK_FALSE(it.followed(1));
  CHECK(it.followed(1) == 3);
}

TEST_CASE("a file that somebody says is written is followed at once") {
  Followed it;
  it.write(with_end(kThird));
  const auto topology = it.file.look_at_once();
  REQUIRE(topology);
  CHECK(topology->schema.keyspaces.size() == 3);
  CHECK_FALSE(it.followed(3));
}

TEST_CASE("a mistake is told once and changes nothing, whatever comes and goes") {
  Followed it;
  const std::string wrong = with_line(11, "    region: nowhere");
  std::string log = logged([&] {
    it.write(wrong);
    CHECK_FALSE(it.followed(5));
    CHECK_FALSE(it.file.look_at_once());
    it.write(wrong);
    CHECK_FALSE(it.followed(5));
  });
  CHECK(times(log, "no region is named") == 1);
  CHECK(times(log, "topology.yaml:11") == 1);
  CHECK(it.file.refused());

  log = logged([&] {
    it.write(it.text);
    CHECK_FALSE(it.followed(3));  // what is followed all the time
    CHECK_FALSE(it.file.refused());
    it.write(wrong);
    CHECK_FALSE(it.followed(3));
  });
  CHECK(times(log, "no region is named") == 1);
  it.write(with_end(kThird));
  CHECK(it.followed(2) == 3);
  CHECK_FALSE(it.file.refused());
}

TEST_CASE("a file that is missing is told once, and followed when it is back") {
  Followed it;
  const std::string log = logged([&] {
    std::filesystem::remove(it.path);
    CHECK_FALSE(it.followed(5));
  });
  CHECK(times(log, "cannot be read") == 1);
  CHECK(it.file.refused());
  it.write(it.text);
  CHECK_FALSE(it.followed(3));
  CHECK_FALSE(it.file.refused());
  it.write(with_end(kThird));
  CHECK(it.followed(2) == 3);
}

TEST_CASE("a file that an editor takes away for a moment is not told") {
  Followed it;
  const std::string log = logged([&] {
    std::filesystem::rename(it.path, it.folder / "away");
    CHECK_FALSE(it.followed(1));
    std::filesystem::rename(it.folder / "away", it.path);
    CHECK_FALSE(it.followed(3));
  });
  CHECK(log.empty());
}

TEST_CASE("a new topology comes with the passwords that it names") {
  Followed it;
  std::ofstream(it.folder / "shop.password") << "s3cret\n";
  it.write(with_line(12, good()[11] + "\n    password_file: shop.password"));
  std::optional<config::Topology> topology;
  for (int i = 0; i < 2; ++i) topology = it.file.look();
  REQUIRE(topology);
  CHECK(topology->origins[0].credentials.password == "s3cret");
}

}  // namespace
}  // namespace tributary::cli
