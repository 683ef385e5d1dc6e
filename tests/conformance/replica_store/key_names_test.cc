/// Whatever keys are called, each has a state of its own.
#include <algorithm>
#include <set>

#include "connectors/replica/redis/layout.h"
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using namespace std::string_literals;
using crdt::ViewKind;

/// All words of up to four of the letters that matter, and some others.
std::vector<std::string> awkward_keys() {
  std::vector<std::string> keys{"", "k", "{k}", "version", "tributary:{k}", "\xff\0"s, "{\0}"s};
  std::vector<std::string> words{""};
  for (std::size_t first = 0; first < words.size() && words[first].size() < 4; ++first) {
    for (const char letter : {'a', '{', '}', ':', '='}) words.push_back(words[first] + letter);
  }
  keys.insert(keys.end(), words.begin() + 1, words.end());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

/// Redis Cluster's: CRC16 (XMODEM) of what is in the first braces, or of all.
std::uint16_t slot(std::string_view name) {
  const auto open = name.find('{');
  if (open != std::string_view::npos) {
    const auto close = name.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      name = name.substr(open + 1, close - open - 1);
    }
  }
  std::uint16_t crc = 0;
  for (const char byte : name) {
    crc = static_cast<std::uint16_t>(crc ^ (static_cast<unsigned char>(byte) << 8));
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>((crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0));
    }
  }
  return crc % 16384;
}

bool slot_is_shared(std::string_view key) {
  const auto open = key.find('{');
  const auto close = key.find('}', open == std::string_view::npos ? key.size() : open + 1);
  const bool tagged = close != std::string_view::npos && close > open + 1;
  return !key.empty() && (tagged || key.find('}') == std::string_view::npos);
}

}  // namespace

TEST_CASE("no two keys share the name of their states, and names lead back to their keys") {
  CHECK(slot("123456789") == 0x31c3 % 16384);  // the check value of the standard
  std::set<std::string> names;
  for (const redis::SharedKey& key : redis::kSharedKeys) names.emplace(key.name);
  for (const std::string& key : awkward_keys()) {
    CAPTURE(key);
    const std::string name = redis::state_key(key).whole();
    CHECK(names.insert(name).second);
    REQUIRE(redis::key_of_state(name));
    CHECK(*redis::key_of_state(name) == key);
    if (slot_is_shared(key)) CHECK(slot(name) == slot(key));
    if (key.find_first_of("{}") == std::string::npos) CHECK(name == "tributary:{" + key + "}");
  }
  for (const std::string_view other : {"tributary:", "tributary:{", "tributary:{a}b}",
                                       "tributary::a", "tributary:=a", "tributary:hlc", "k"}) {
    CAPTURE(other);
    CHECK(!redis::key_of_state(other));
  }
}

REPLICA_TEST("awkward keys keep their states apart") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto keys = awkward_keys();
  Draft draft;
  for (const std::string& key : keys) {
    if (key.starts_with("tributary:")) continue;  // a view there would be another key's state
    draft.key(key, ViewKind::kString, "", {{"s", "of " + key}}, {put("", "of " + key)});
  }
  need(draft.commit(*store));
  for (const std::string& key : keys) {
    if (key.starts_with("tributary:")) continue;
    CAPTURE(key);
    const KeyLoad load{key, {true, {}}};
    const auto loaded = need(store->load({&load, 1}));
    REQUIRE(loaded.front().state.find("s") != nullptr);
    CHECK(*loaded.front().state.find("s") == "of " + key);
    CHECK(values_of(*store, key) == "string =of " + key);
  }
}

}  // namespace tributary::replica_tests
