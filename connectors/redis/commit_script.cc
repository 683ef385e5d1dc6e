#include <string>
#include <vector>

#include <tributary/base/check.h>
#include <tributary/connectors/redis/commit_script.h>
#include <tributary/connectors/redis/layout.h>

namespace tributary::redis {

// KEYS: state and view of each key in turn, then watermark, progress, hlc, parked, deferring.
// ARGV: number of keys, then sections in the order the script reads them. Ids, seqs and timestamps
// stay strings; only counts become numbers. Runs are at most kRun long, because unpack() is
// limited.
const std::string_view kCommitScript = R"lua(
local call, pcall_, argv, keys = redis.call, redis.pcall, ARGV, KEYS
local n = tonumber(argv[1])
local watermark, progress, hlc, parked, deferring =
  keys[2*n+1], keys[2*n+2], keys[2*n+3], keys[2*n+4], keys[2*n+5]
local steps = tonumber(argv[2])
local p = 3
for i = 1, steps do
  if (call('HGET', watermark, argv[p]) or '0') ~= argv[p+1] then
    return 'watermark of actor ' .. argv[p]
  end
  p = p + 3
end
for i = 1, n do
  if (call('HGET', keys[2*i-1], 'version') or '') ~= argv[p] then
    return 'version of key ' .. keys[2*i]
  end
  local probe = argv[p+1]
  if probe ~= '' and type(pcall_(probe, keys[2*i])) == 'table' then
    return 'type of key ' .. keys[2*i]
  end
  p = p + 2
end
for i = 1, n do
  local state, view = keys[2*i-1], keys[2*i]
  local sets, dels, runs = tonumber(argv[p]), tonumber(argv[p+1]), tonumber(argv[p+2])
  p = p + 3
  for _ = 1, sets do
    local count = tonumber(argv[p])
    call('HSET', state, unpack(argv, p+1, p+count))
    p = p + 1 + count
  end
  for _ = 1, dels do
    local count = tonumber(argv[p])
    call('HDEL', state, unpack(argv, p+1, p+count))
    p = p + 1 + count
  end
  for _ = 1, runs do
    local count = tonumber(argv[p+1])
    call(argv[p], view, unpack(argv, p+2, p+1+count))
    p = p + 2 + count
  end
end
for _, name in ipairs({watermark, progress, parked}) do
  local pairs_ = tonumber(argv[p])
  p = p + 1
  for _ = 1, pairs_ do
    call('HSET', name, argv[p], argv[p+1])
    p = p + 2
  end
end
local function members(command, name)
  local count = tonumber(argv[p])
  for i = 1, count do call(command, name, argv[p+i]) end
  p = p + 1 + count
end
members('HDEL', parked)
members('SADD', deferring)
members('SREM', deferring)
if argv[p] > (call('GET', hlc) or '') then call('SET', hlc, argv[p]) end
return 'OK'
)lua";

namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

constexpr std::size_t kRun = 4000;

/// A command that fails on a key of another Redis type, and reads next to nothing.
std::string_view probe(ViewKind kind) {
  switch (kind) {
    case ViewKind::kString: return "STRLEN";
    case ViewKind::kSet: return "SCARD";
    case ViewKind::kHash: return "HLEN";
    case ViewKind::kSortedSet: return "ZCARD";
    case ViewKind::kList: return "LLEN";
  }
  return "";
}

std::string_view put_command(ViewKind kind) {
  switch (kind) {
    case ViewKind::kString: return "SET";
    case ViewKind::kSet: return "SADD";
    case ViewKind::kHash: return "HSET";
    case ViewKind::kSortedSet: return "ZADD";
    case ViewKind::kList: return "RPUSH";
  }
  return "";
}

std::string_view remove_command(ViewKind kind) {
  switch (kind) {
    case ViewKind::kSet: return "SREM";
    case ViewKind::kHash: return "HDEL";
    case ViewKind::kSortedSet: return "ZREM";
    case ViewKind::kString:
    case ViewKind::kList: break;
  }
  CHECK(false);  // strings and lists are cleared, not removed from
  return "";
}

/// Collects views of arguments; they must outlive it.
class Arguments {
 public:
  void add(std::string_view bytes) { views_.push_back(bytes); }
  void add(std::size_t number) { views_.push_back(keep(std::to_string(number))); }
  [[nodiscard]] std::string_view keep(std::string text) {
    return *kept_.insert(kept_.end(), std::move(text));
  }
  [[nodiscard]] std::size_t reserve_count() {
    views_.emplace_back();
    return views_.size() - 1;
  }
  void set_count(std::size_t at, std::size_t number) { views_[at] = keep(std::to_string(number)); }
  [[nodiscard]] const std::vector<std::string_view>& views() const { return views_; }

 private:
  struct StableStrings {
    std::string* insert(std::string* /*end*/, std::string text) {
      if (blocks.empty() || blocks.back().size() == kBlock) {
        blocks.emplace_back();
        blocks.back().reserve(kBlock);
      }
      return &blocks.back().emplace_back(std::move(text));
    }
    [[nodiscard]] static std::string* end() { return nullptr; }
    static constexpr std::size_t kBlock = 256;
    std::vector<std::vector<std::string>> blocks;
  };
  std::vector<std::string_view> views_;
  StableStrings kept_;
};

void add_state(Arguments& out, const KeyCommit& key, std::string_view version, std::size_t sets_at,
               std::size_t dels_at) {
  std::size_t sets = 1;
  std::size_t run = out.reserve_count();
  std::size_t length = 2;
  out.add(kVersionField);
  out.add(version);
  for (const auto& field : key.state->fields()) {
    if (!field.changed || !field.value) continue;
    CHECK(field.name != kVersionField);
    if (length == kRun) {
      out.set_count(run, length);
      run = out.reserve_count();
      length = 0;
      ++sets;
    }
    out.add(field.name);
    out.add(*field.value);
    length += 2;
  }
  out.set_count(run, length);
  out.set_count(sets_at, sets);
  std::size_t dels = 0;
  length = kRun;
  for (const auto& field : key.state->fields()) {
    if (!field.changed || field.value) continue;
    if (length == kRun) {
      if (dels > 0) out.set_count(run, length);
      run = out.reserve_count();
      length = 0;
      ++dels;
    }
    out.add(field.name);
    ++length;
  }
  if (dels > 0) out.set_count(run, length);
  out.set_count(dels_at, dels);
}

std::size_t add_edit(Arguments& out, ViewKind kind, const ViewEdit& edit) {
  if (edit.action == ViewEdit::Action::kClear) return 0;
  if (edit.action == ViewEdit::Action::kRemove || kind == ViewKind::kSet) {
    out.add(edit.member);
    return 1;
  }
  if (kind == ViewKind::kHash) out.add(edit.member);
  out.add(edit.value);
  if (kind == ViewKind::kSortedSet) out.add(edit.member);
  return kind == ViewKind::kHash || kind == ViewKind::kSortedSet ? 2 : 1;
}

std::string_view command_of(ViewKind kind, const ViewEdit& edit) {
  if (edit.action == ViewEdit::Action::kClear) return "DEL";
  return edit.action == ViewEdit::Action::kPut ? put_command(kind) : remove_command(kind);
}

/// Edits of a string replace each other; others of one action in a row share a command.
void add_edits(Arguments& out, const KeyCommit& key, std::size_t runs_at) {
  const ViewKind kind = key.type->view;
  const crdt::ViewEdits& edits = *key.edits;
  std::size_t runs = 0;
  std::size_t i = kind == ViewKind::kString && !edits.empty() ? edits.size() - 1 : 0;
  while (i < edits.size()) {
    const ViewEdit::Action action = edits[i].action;
    out.add(command_of(kind, edits[i]));
    const std::size_t count_at = out.reserve_count();
    std::size_t length = 0;
    do {
      length += add_edit(out, kind, edits[i++]);
    } while (i < edits.size() && edits[i].action == action && length + 2 <= kRun);
    out.set_count(count_at, length);
    ++runs;
  }
  out.set_count(runs_at, runs);
}

void add_key(Arguments& out, const KeyCommit& key, std::string_view nonce) {
  const std::size_t sets_at = out.reserve_count();
  const std::size_t dels_at = out.reserve_count();
  const std::size_t runs_at = out.reserve_count();
  const std::string_view version = out.keep(std::string(key.type->name) + " " + std::string(nonce));
  add_state(out, key, version, sets_at, dels_at);
  add_edits(out, key, runs_at);
}

void add_preconditions(Arguments& out, const ReplicaCommit& commit) {
  out.add(commit.keys.size());
  out.add(commit.steps.size());
  for (const WatermarkStep& step : commit.steps) {
    out.add(out.keep(step.actor.hex()));
    out.add(step.from.value);
    out.add(step.to.value);
  }
  for (const KeyCommit& key : commit.keys) {
    out.add(key.expected_version);
    // SET takes a key of any type, and a key with state is ours: only a new one needs the probe.
    const bool ours = key.type->view == ViewKind::kString && !key.expected_version.empty();
    out.add(key.edits->empty() || ours ? std::string_view{} : probe(key.type->view));
  }
}

void add_progress(Arguments& out, const ReplicaCommit& commit) {
  const std::size_t moved_at = out.reserve_count();
  std::size_t moved = 0;
  for (const WatermarkStep& step : commit.steps) {
    if (step.to == step.from) continue;
    out.add(out.keep(step.actor.hex()));
    out.add(step.to.value);
    ++moved;
  }
  out.set_count(moved_at, moved);
  out.add(commit.progress.size());
  for (const auto& [origin, progress] : commit.progress) {
    out.add(origin.value);
    out.add(out.keep(encode(progress)));
  }
  out.add(commit.parked.size());
  for (const Parked& parked : commit.parked) {
    out.add(parked.id);
    out.add(out.keep(encode(parked)));
  }
  out.add(commit.unparked.size());
  for (const std::string& id : commit.unparked) out.add(id);
}

void add_deferring(Arguments& out, const ReplicaCommit& commit, bool listed) {
  const std::size_t count_at = out.reserve_count();
  std::size_t count = 0;
  for (const KeyCommit& key : commit.keys) {
    // A key without a version was never listed.
    if (!key.type->defers || key.deferring != listed) continue;
    if (!listed && key.expected_version.empty()) continue;
    out.add(key.key);
    ++count;
  }
  out.set_count(count_at, count);
}

}  // namespace

void build_commit(Command& command, std::string_view sha, const ReplicaCommit& commit,
                  std::string_view nonce) {
  Arguments out;
  add_preconditions(out, commit);
  for (const KeyCommit& key : commit.keys) add_key(out, key, nonce);
  add_progress(out, commit);
  add_deferring(out, commit, true);
  add_deferring(out, commit, false);
  out.add(out.keep(encode(commit.hlc)));

  const std::size_t key_count = 2 * commit.keys.size() + 5;
  command.begin(3 + key_count + out.views().size());
  command.argument("EVALSHA");
  command.argument(sha);
  command.argument(std::to_string(key_count));
  for (const KeyCommit& key : commit.keys) {
    command.argument(state_key(key.key));
    command.argument(key.key);
  }
  for (const std::string_view name :
       {kWatermarkKey, kProgressKey, kHlcKey, kParkedKey, kDeferringKey}) {
    command.argument(name);
  }
  for (const std::string_view argument : out.views()) command.argument(argument);
}

}  // namespace tributary::redis
