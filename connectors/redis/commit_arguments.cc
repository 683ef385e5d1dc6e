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
  Counted sets(out);
  out.add(kVersionField);
  out.add(version);
  std::size_t drops = 0;
  for (const auto& field : state.fields()) {
    if (!field.changed) continue;
    if (!field.value) {
      ++drops;
      continue;
    }
    out.add_joined(kFieldPrefix, field.name, {});
    out.add(*field.value);
  }
  sets.end();
  out.add_number(drops);
  if (drops == 0) return;
  for (const auto& field : state.fields()) {
    if (field.changed && !field.value) out.add_joined(kFieldPrefix, field.name, {});
  }
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

void add_key(Arguments& out, const KeyCommit& key, std::string_view version) {
  if (const auto* field = only_field(key)) {
    out.add("one");
    out.add(version);
    out.add_joined(kFieldPrefix, field->name, {});
    out.add(*field->value);
    out.add(key.edits->back().value);
    return;
  }
  out.add("many");
  add_state(out, *key.state, version);
  add_edits(out, key.type->view, *key.edits);
}

void add_preconditions(Arguments& out, const ReplicaCommit& commit) {
  out.add_number(commit.steps.size());
  for (const WatermarkStep& step : commit.steps) {
    CHECK(step.from <= step.to);
    out.add(step.actor.hex());
    out.add_number(step.from.value);
  }
  for (const KeyCommit& key : commit.keys) {
    out.add(key.expected_version);
    out.add(key.edits->empty() ? std::string_view{} : commands(key.type->view).length);
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

void add_progress(Arguments& out, const ReplicaCommit& commit) {
  Counted watermark(out);
  for (const WatermarkStep& step : commit.steps) {
    if (step.to == step.from) continue;
    out.add(step.actor.hex());
    out.add_number(step.to.value);
  }
  watermark.end();
  Counted progress(out);
  for (const auto& [origin, each] : commit.progress) {
    out.add(origin.value);
    out.add(encode(each));
  }
  progress.end();
  Counted parked(out);
  for (const Parked& each : commit.parked) {
    out.add(each.id);
    out.add(encode(each));
  }
  parked.end();
}

/// The keys that are `deferring` now and by their expected version were not, or the reverse.
void add_deferring(Arguments& out, const ReplicaCommit& commit, bool deferring) {
  Counted keys(out);
  for (const KeyCommit& key : commit.keys) {
    if (key.deferring != deferring) continue;
    if (deferring_by_version(key.expected_version) != deferring) out.add(key.key);
  }
  keys.end();
}

}  // namespace

void build_commit(Arguments& out, const ReplicaCommit& commit, std::uint64_t nonce) {
  out.clear();
  out.add_number(2 * commit.keys.size() + 5);
  for (const KeyCommit& key : commit.keys) {
    const StateKey state = state_key(key.key);
    out.add_joined(state.before, state.key, state.after);
    out.add(key.key);
  }
  for (const std::string_view name :
       {kWatermarkKey, kProgressKey, kHlcKey, kParkedKey, kDeferringKey}) {
    out.add(name);
  }
  add_preconditions(out, commit);
  Versions versions(nonce);
  for (const KeyCommit& key : commit.keys) add_key(out, key, versions.of(key));
  add_progress(out, commit);
  add_deferring(out, commit, true);
  out.add(commit.hlc == Hlc{} ? std::string() : encode(commit.hlc));
  add_deferring(out, commit, false);
  Counted unparked(out);
  for (const std::string& id : commit.unparked) out.add(id);
  unparked.end();
}

}  // namespace tributary::redis
