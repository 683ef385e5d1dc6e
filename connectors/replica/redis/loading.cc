#include "connectors/replica/redis/loading.h"

#include <algorithm>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/permissions.h"

namespace tributary::redis {
namespace {

// One pipeline's bounds, so that no more than two pipelines of answers are held in memory.
constexpr std::size_t kKeysAtOnce = 1000;
constexpr std::size_t kFieldsAtOnce = 10'000;
constexpr std::string_view kWrongType = "WRONGTYPE";

void add_state_key(Arguments& out, std::string_view key) {
  const StateKey state = state_key(key);
  out.add_joined(state.before, state.key, state.after);
}

/// Queues the loads of one pipeline and tells how many they are.
std::size_t queue_some(Connection& connection, std::span<const KeyLoad> loads) {
  Arguments arguments;
  std::size_t keys = 0;
  std::size_t fields = 0;
  while (keys < loads.size() && keys < kKeysAtOnce && fields < kFieldsAtOnce) {
    const KeyLoad& load = loads[keys++];
    arguments.clear();
    add_state_key(arguments, load.key);
    if (load.fields.all) {
      connection.queue({"HGETALL"}, arguments);
      fields += kFieldsAtOnce / 8;  // who knows how many there are
      continue;
    }
    arguments.add(kVersionField);
    for (const std::string& name : load.fields.names) arguments.add_joined(kFieldPrefix, name, {});
    connection.queue({"HMGET"}, arguments);
    fields += load.fields.names.size();
  }
  return keys;
}

void decode_all(LoadedKey& key, const redisReply& pairs) {
  key.state.set_complete();
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const std::string_view name = text(at(pairs, i));
    const std::string_view value = text(at(pairs, i + 1));
    if (name == kVersionField) key.version = value;
    else if (name.starts_with(kFieldPrefix)) {
      key.state.load(std::string(name.substr(kFieldPrefix.size())), std::string(value));
    } else {
      key.damage = "its state has a field that Tributary did not write";
    }
  }
  if (key.version.empty() && size(pairs) > 0) key.damage = "its state has no version";
}

void decode_some(LoadedKey& key, const redisReply& values, const std::vector<std::string>& names) {
  key.version = text(at(values, 0));
  key.state.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const redisReply& value = at(values, i + 1);
    if (is_nil(value)) key.state.load(names[i], std::nullopt);
    else key.state.load(names[i], std::string(text(value)));
  }
}

/// Looks at what the version and the bytes say of themselves.
void judge(LoadedKey& key) {
  if (!key.damage.empty() || key.version.empty()) return;
  const auto version = parse_version(key.version);
  if (!version) {
    key.damage = "its version is none that Tributary wrote";
    return;
  }
  key.type = version->type;
  const crdt::Type* type = crdt::find_type(key.type);
  if (type != nullptr && !type->intact(key.state)) {
    key.damage = "its bytes are no state of a " + key.type;
  }
}

/// As of a key that is not there.
void empty_state(LoadedKey& key, const crdt::FieldSelection& selection) {
  key.state = crdt::State();
  if (selection.all) key.state.set_complete();
  else {
    for (const std::string& name : selection.names) key.state.load(name, std::nullopt);
  }
  key.state.settle();
}

LoadedKey decode(const redisReply& reply, const crdt::FieldSelection& selection) {
  LoadedKey key;
  key.refused = is_error(reply) && text(reply).starts_with(kNoPermission);
  if (key.refused) {
    empty_state(key, selection);
    return key;
  }
  if (is_error(reply)) key.damage = "another program's key stands in the place of its state";
  else if (selection.all) decode_all(key, reply);
  else decode_some(key, reply, selection.names);
  key.state.settle();
  judge(key);
  if (!key.damage.empty()) empty_state(key, selection);
  return key;
}

Result<std::vector<LoadedKey>> load_states(Connection& connection, std::span<const KeyLoad> loads) {
  std::vector<LoadedKey> loaded;
  loaded.reserve(loads.size());
  std::size_t awaited = queue_some(connection, loads);
  while (awaited > 0) {
    TRIBUTARY_TRY(connection.send());
    // The next pipeline is under way while the answers to this one are decoded.
    const std::size_t end = loaded.size() + awaited;
    awaited = queue_some(connection, loads.subspan(end));
    if (awaited > 0) TRIBUTARY_TRY(connection.send());
    while (loaded.size() < end) {
      TRIBUTARY_ASSIGN(const Reply reply, connection.receive({kWrongType, kNoPermission}));
      loaded.push_back(decode(*reply, loads[loaded.size()].fields));
    }
  }
  return loaded;
}

/// Keys that look absent, of which only the version and some fields were asked for.
std::vector<std::size_t> seemingly_absent(std::span<const KeyLoad> loads,
                                          const std::vector<LoadedKey>& loaded) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const LoadedKey& key = loaded[i];
    const bool looks_absent = key.version.empty() && key.damage.empty() && !key.refused;
    if (looks_absent && !loads[i].fields.all) indices.push_back(i);
  }
  return indices;
}

/// Adds those of `some` whose state is there. One question for all mostly says that none is.
Result<void> find_present(Connection& connection, std::span<const KeyLoad> loads,
                          std::span<const std::size_t> some, std::vector<std::size_t>& present) {
  Arguments arguments;
  for (const std::size_t index : some) add_state_key(arguments, loads[index].key);
  TRIBUTARY_ASSIGN(const Reply any, connection.call({"EXISTS"}, arguments));
  if (integer(*any) == 0) return {};
  for (const std::size_t index : some) {
    arguments.clear();
    add_state_key(arguments, loads[index].key);
    connection.queue({"EXISTS"}, arguments);
  }
  TRIBUTARY_TRY(connection.send());
  for (const std::size_t index : some) {
    TRIBUTARY_ASSIGN(const Reply reply, connection.receive());
    if (integer(*reply) != 0) present.push_back(index);
  }
  return {};
}

/// A hash without a version looks like no hash.
Result<void> find_unversioned(Connection& connection, std::span<const KeyLoad> loads,
                              std::vector<LoadedKey>& loaded) {
  const std::vector<std::size_t> absent = seemingly_absent(loads, loaded);
  std::vector<std::size_t> present;
  for (std::size_t start = 0; start < absent.size(); start += kKeysAtOnce) {
    const auto some =
        std::span(absent).subspan(start, std::min(kKeysAtOnce, absent.size() - start));
    TRIBUTARY_TRY(find_present(connection, loads, some, present));
  }
  for (const std::size_t index : present) {
    const std::string state = state_key(loads[index].key).whole();
    TRIBUTARY_ASSIGN(const Reply version, connection.call({"HGET", state, kVersionField}));
    // Empty is none: an empty version would read like that of a key which does not exist.
    if (!text(*version).empty()) continue;  // somebody has made the key in between
    loaded[index].damage = "its state has no version";
    empty_state(loaded[index], loads[index].fields);
  }
  return {};
}

/// Whether what was refused was refused for its keys; otherwise it is the replica's fault.
Result<void> confirm_refused(Connection& connection, std::span<const KeyLoad> loads,
                             const std::vector<LoadedKey>& loaded) {
  std::vector<std::string_view> refused;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (loaded[i].refused) refused.push_back(loads[i].key);
  }
  if (refused.empty()) return {};
  TRIBUTARY_ASSIGN(const auto confirmed, refused_keys(connection, refused));
  if (confirmed.size() == refused.size()) return {};
  const std::string state = state_key(refused.front()).whole();
  TRIBUTARY_TRY(connection.call({"HMGET", state, kVersionField}));
  TRIBUTARY_TRY(connection.call({"HGETALL", state}));
  return fail(ErrorKind::kTransient, connection.where() + "its user's rights have just changed");
}

Result<void> load_blocks(Connection& connection, std::span<const KeyLoad> loads,
                         std::vector<LoadedKey>& loaded) {
  TRIBUTARY_ASSIGN(const Reply count, connection.call({"HLEN", kBlocked.name}));
  if (integer(*count) == 0) return {};
  for (std::size_t start = 0; start < loads.size(); start += kKeysAtOnce) {
    const auto some = loads.subspan(start, std::min(kKeysAtOnce, loads.size() - start));
    Arguments arguments;
    for (const KeyLoad& load : some) arguments.add(load.key);
    TRIBUTARY_ASSIGN(const Reply reply, connection.call({"HMGET", kBlocked.name}, arguments));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const redisReply& block = at(*reply, i);
      if (!text(block).empty()) loaded[start + i].block = decode_block(text(block));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<LoadedKey>> load_keys(Connection& connection, std::span<const KeyLoad> loads) {
  if (loads.empty()) return std::vector<LoadedKey>();
  TRIBUTARY_ASSIGN(auto loaded, load_states(connection, loads));
  TRIBUTARY_TRY(confirm_refused(connection, loads, loaded));
  TRIBUTARY_TRY(find_unversioned(connection, loads, loaded));
  TRIBUTARY_TRY(load_blocks(connection, loads, loaded));
  return loaded;
}

}  // namespace tributary::redis
