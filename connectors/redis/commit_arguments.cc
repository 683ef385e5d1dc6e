#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include <tributary/base/check.h>
#include <tributary/connectors/redis/commit_arguments.h>
#include <tributary/connectors/redis/layout.h>

namespace tributary::redis {
namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

/// The commands for views of one kind.
struct ViewCommands {
  std::string_view length;  ///< reads next to nothing, and fails on another type
  std::string_view put;
  std::string_view remove;
};

ViewCommands commands(ViewKind kind) {
  switch (kind) {
    case ViewKind::kString: return {"STRLEN", "SET", ""};
    case ViewKind::kSet: return {"SCARD", "SADD", "SREM"};
    case ViewKind::kHash: return {"HLEN", "HSET", "HDEL"};
    case ViewKind::kSortedSet: return {"ZCARD", "ZADD", "ZREM"};
    case ViewKind::kList: return {"LLEN", "RPUSH", ""};
  }
  return {};
}

/// What follows is counted, and the count stands before it.
class Counted {
 public:
  explicit Counted(Arguments& out) : out_(out), at_(out.add_count()), before_(out.size()) {}
  /// Ends the section.
  void end() { out_.set_count(at_, out_.size() - before_); }

 private:
  Arguments& out_;
  std::size_t at_;
  std::size_t before_;
};

bool is_score(const std::string& text) {
  char* end = nullptr;
  const double score = std::strtod(text.c_str(), &end);
  return !text.empty() && end == text.c_str() + text.size() && !std::isnan(score);
}

void add_put(Arguments& out, ViewKind kind, const ViewEdit& edit) {
  switch (kind) {
    case ViewKind::kSet: return out.add(edit.member);
    case ViewKind::kHash: out.add(edit.member); return out.add(edit.value);
    case ViewKind::kSortedSet:
      CHECK(is_score(edit.value));  // Redis would refuse it in the middle of the script
      out.add(edit.value);
      return out.add(edit.member);
    case ViewKind::kString:
    case ViewKind::kList: return out.add(edit.value);
  }
}

/// Only the last edit of a string counts.
void add_string_edit(Arguments& out, const crdt::ViewEdits& edits) {
  out.add(edits.empty() ? "0" : "1");
  if (edits.empty()) return;
  const ViewEdit& last = edits.back();
  CHECK(last.action != ViewEdit::Action::kRemove);
  if (last.action == ViewEdit::Action::kClear) return out.add("UNLINK");
  out.add("SET");
  out.add(last.value);
}

/// Edits of one action in a row share a command.
void add_edits(Arguments& out, ViewKind kind, const crdt::ViewEdits& edits) {
  if (kind == ViewKind::kString) return add_string_edit(out, edits);
  const std::size_t runs_at = out.add_count();
  std::size_t runs = 0;
  for (std::size_t i = 0; i < edits.size(); ++runs) {
    const ViewEdit::Action action = edits[i].action;
    if (action == ViewEdit::Action::kClear) {
      out.add("UNLINK");
      ++i;
      continue;
    }
    const bool put = action == ViewEdit::Action::kPut;
    const std::string_view command = put ? commands(kind).put : commands(kind).remove;
    CHECK(!command.empty());  // members of a list are not removed by name
    out.add(command);
    Counted arguments(out);
    for (; i < edits.size() && edits[i].action == action; ++i) {
      if (put) add_put(out, kind, edits[i]);
      else out.add(edits[i].member);
    }
    arguments.end();
  }
  out.set_count(runs_at, runs);
}

/// The version is written by every commit, also when nothing else of the key has changed, and is
/// kept when no other field is left: it is what tells a later writer that the key has moved.
void add_state(Arguments& out, const crdt::State& state, std::string_view version) {
  Counted drops(out);
  for (const auto& field : state.fields()) {
    if (field.changed && !field.value) out.add_joined(kFieldPrefix, field.name, {});
  }
  drops.end();
  Counted sets(out);
  out.add(kVersionField);
  out.add(version);
  for (const auto& field : state.fields()) {
    if (!field.changed || !field.value) continue;
    out.add_joined(kFieldPrefix, field.name, {});
    out.add(*field.value);
  }
  sets.end();
}

/// The only change of a string's state, when one field is written and the view is set.
const crdt::State::Field* only_field(const KeyCommit& key) {
  if (key.type->view != ViewKind::kString || key.edits->empty()) return nullptr;
  if (key.edits->back().action != ViewEdit::Action::kPut) return nullptr;
  const crdt::State::Field* only = nullptr;
  for (const auto& field : key.state->fields()) {
    if (!field.changed) continue;
    if (only != nullptr || !field.value) return nullptr;
    only = &field;
  }
  return only;
}

/// Where the view's number of members starts; empty for a string, which has none.
std::string members_before(const KeyCommit& key) {
  if (key.type->view == ViewKind::kString) return {};
  const auto version = parse_version(key.expected_version);
  const bool known = version && version->members && !key.discard_damage;
  return known ? std::to_string(*version->members) : "0";
}

void add_key(Arguments& out, const KeyCommit& key, std::string_view version) {
  const auto* field = key.discard_damage ? nullptr : only_field(key);
  if (field != nullptr) {
    out.add("one");
    out.add(version);
    out.add_joined(kFieldPrefix, field->name, {});
    out.add(*field->value);
    out.add(key.edits->back().value);
    return;
  }
  out.add(key.discard_damage ? "anew" : "many");
  out.add(members_before(key));
  add_edits(out, key.type->view, *key.edits);
  add_state(out, *key.state, version);
}

/// What is asked of the view before anything is written.
void add_view_check(Arguments& out, const KeyCommit& key) {
  const bool anything = key.edits->empty() || (key.whole && key.discard_damage);
  if (anything) return out.add({});
  if (!key.whole && key.expected_version.empty()) {
    out.add("EXISTS");
    return out.add("0");
  }
  out.add(commands(key.type->view).length);
  if (key.type->view == ViewKind::kString) return;
  const auto version = parse_version(key.expected_version);
  const bool known = !key.whole && version && version->members;
  out.add(known ? std::to_string(*version->members) : std::string());
}

void add_bound(Arguments& out, const VersionVector* bound) {
  out.add_number(bound == nullptr ? 0 : 1);
  if (bound == nullptr) return;
  out.add_number(bound->size());
  for (const auto& [actor, seq] : *bound) {
    out.add(actor.hex());
    out.add_number(seq.value);
  }
}

void add_preconditions(Arguments& out, const ReplicaCommit& commit) {
  out.add_number(commit.steps.size());
  for (const WatermarkStep& step : commit.steps) {
    CHECK(step.from <= step.to);
    out.add(step.actor.hex());
    out.add_number(step.from.value);
  }
  add_bound(out, commit.watermark_at_most);
  out.add_number(commit.blocks.size());
  for (const BlockCommit& block : commit.blocks) {
    out.add(block.key);
    out.add(block.expected_mark);
  }
  for (const KeyCommit& key : commit.keys) {
    CHECK(!key.whole ||
          (!key.edits->empty() && key.edits->front().action == ViewEdit::Action::kClear));
    out.add_joined(key.discard_damage ? "!" : "", key.expected_version, {});
    add_view_check(out, key);
  }
}

/// A nonce makes one version per type and mark; types mostly come in a row.
class Versions {
 public:
  explicit Versions(std::uint64_t nonce) : nonce_(nonce) {}
  std::string_view of(const KeyCommit& key) {
    if (key.type != type_ || key.deferring != deferring_) {
      type_ = key.type;
      deferring_ = key.deferring;
      version_ = make_version(type_->name, nonce_, deferring_);
    }
    return version_;
  }

 private:
  std::uint64_t nonce_;
  const crdt::Type* type_ = nullptr;
  bool deferring_ = false;
  std::string version_;
};

void add_parked(Arguments& out, const ReplicaCommit& commit) {
  out.add_number(commit.parked.size());
  for (const Parked& each : commit.parked) {
    out.add(each.id);
    out.add(encode(each));
  }
}

void add_blocks(Arguments& out, const ReplicaCommit& commit, std::string_view mark) {
  LoweredSeqs lowest;
  out.add_number(commit.blocks.size());
  for (const BlockCommit& block : commit.blocks) {
    out.add(block.key);
    out.add(block.next ? encode(*block.next, mark) : std::string());
    out.add(block.next && block.next->incomplete ? "1" : "0");
    if (!block.next) continue;
    for (const auto& [actor, seq] : block.next->before) {
      const auto at = lowest.emplace(actor, seq).first;
      at->second = std::min(at->second, seq);
    }
  }
  out.add_number(lowest.size());
  for (const auto& [actor, seq] : lowest) {
    out.add(actor.hex());
    out.add_number(seq.value);
  }
}

void add_progress(Arguments& out, const ReplicaCommit& commit) {
  Counted watermark(out);
  for (const WatermarkStep& step : commit.steps) {
    if (step.to == step.from) continue;
    out.add(step.actor.hex());
    out.add_number(step.to.value);
  }
  watermark.end();
  Counted actors(out);
  for (const auto& [actor, record] : commit.actors) {
    out.add(actor.hex());
    out.add(encode(record));
  }
  actors.end();
  Counted progress(out);
  for (const auto& [origin, each] : commit.progress) {
    out.add(origin.value);
    out.add(encode(each));
  }
  progress.end();
  out.add(commit.hlc == Hlc{} ? std::string() : encode(commit.hlc));
}

void add_names(Arguments& out, std::span<const std::string> names) {
  out.add_number(names.size());
  for (const std::string& name : names) out.add(name);
}

/// The keys that are `deferring` now and by their expected version were not, or the reverse.
void add_deferring(Arguments& out, const ReplicaCommit& commit, bool deferring) {
  Counted keys(out);
  for (const KeyCommit& key : commit.keys) {
    if (key.deferring != deferring) continue;
    if (key.discard_damage || listed_by_version(key.expected_version) != deferring) {
      out.add(key.key);
    }
  }
  keys.end();
}

}  // namespace

void build_commit(Arguments& out, const ReplicaCommit& commit, std::uint64_t nonce) {
  out.clear();
  out.add_number(2 * commit.keys.size() + kSharedKeys.size());
  for (const KeyCommit& key : commit.keys) {
    const StateKey state = state_key(key.key);
    out.add_joined(state.before, state.key, state.after);
    out.add(key.key);
  }
  for (const SharedKey& key : kSharedKeys) out.add(key.name);
  const std::string mark = ActorId{nonce}.hex();
  out.add(commit.expected_token ? "1" : "0");
  out.add(commit.expected_token.value_or(std::string_view{}));
  out.add(mark);
  add_preconditions(out, commit);
  add_deferring(out, commit, true);
  add_parked(out, commit);
  add_blocks(out, commit, mark);
  Versions versions(nonce);
  for (const KeyCommit& key : commit.keys) add_key(out, key, versions.of(key));
  add_progress(out, commit);
  add_deferring(out, commit, false);
  add_names(out, commit.unparked);
  out.add_number(2 * commit.discarded.size());
  for (const std::string& id : commit.discarded) {
    out.add(id);
    out.add("1");
  }
  add_names(out, commit.regained);
  add_names(out, commit.finished);
}

}  // namespace tributary::redis
