#include "connectors/replica/redis/commit_keys.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/check.h"
#include "connectors/replica/redis/layout.h"

namespace tributary::redis {
namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

/// More kinds than there are types of strings: a key of yet another kind goes with the others, so
/// that looking for its run takes constant time.
constexpr std::size_t kMostRuns = 16;

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

bool is_score(const std::string& text) {
  char* end = nullptr;
  const double score = std::strtod(text.c_str(), &end);
  return !text.empty() && end == text.c_str() + text.size() && !std::isnan(score);
}

/// Adds what stands behind an edit's command.
class OperandWriter {
 public:
  explicit OperandWriter(Arguments& out) : out_(out) {}

  void operator()(const crdt::SetString& edit) const { out_.add(edit.value); }
  void operator()(const crdt::AddMember& edit) const { out_.add(edit.member); }
  void operator()(const crdt::PutField& edit) const {
    out_.add(edit.field);
    out_.add(edit.value);
  }
  void operator()(const crdt::PutScore& edit) const {
    CHECK(is_score(edit.score));  // Redis would refuse it in the middle of the script
    out_.add(edit.score);
    out_.add(edit.member);
  }
  void operator()(const crdt::Append& edit) const { out_.add(edit.value); }
  void operator()(const crdt::Remove& edit) const { out_.add(edit.name); }
  void operator()(const crdt::DropView& /*edit*/) const {}

 private:
  Arguments& out_;
};

std::string_view command(const ViewEdit& edit, ViewKind kind) {
  if (crdt::drops(edit)) return "UNLINK";
  return std::holds_alternative<crdt::Remove>(edit) ? commands(kind).remove : commands(kind).put;
}

/// Only the last edit of a string counts.
void add_string_edit(Arguments& out, const crdt::ViewEdits& edits) {
  out.add(edits.empty() ? "0" : "1");
  if (edits.empty()) return;
  const ViewEdit& last = edits.back();
  CHECK(crdt::fits(last, ViewKind::kString));
  out.add(command(last, ViewKind::kString));
  std::visit(OperandWriter(out), last);
}

/// Edits of one kind in a row share a command.
void add_edits(Arguments& out, ViewKind kind, const crdt::ViewEdits& edits) {
  if (kind == ViewKind::kString) return add_string_edit(out, edits);
  const std::size_t runs_at = out.add_count();
  std::size_t runs = 0;
  for (std::size_t i = 0; i < edits.size(); ++runs) {
    const ViewEdit& first = edits[i];
    CHECK(crdt::fits(first, kind));
    out.add(command(first, kind));
    if (crdt::drops(first)) {
      ++i;
      continue;
    }
    CountedSection operands(out);
    for (; i < edits.size() && edits[i].index() == first.index(); ++i) {
      std::visit(OperandWriter(out), edits[i]);
    }
    operands.end();
  }
  out.set_count(runs_at, runs);
}

/// The version is written by every commit, also when nothing else of the key has changed, and is
/// kept when no other field is left: it is what tells a later writer that the key has moved.
void add_state(Arguments& out, const crdt::State& state, std::string_view version) {
  CountedSection drops(out);
  for (const auto& field : state.fields()) {
    if (field.changed && !field.value) out.add_joined(kFieldPrefix, field.name, {});
  }
  drops.end();
  CountedSection sets(out);
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
  if (crdt::drops(key.edits->back())) return nullptr;
  const crdt::State::Field* only = nullptr;
  for (const auto& field : key.state->fields()) {
    if (!field.changed) continue;
    if (only != nullptr || !field.value) return nullptr;
    only = &field;
  }
  return only;
}

/// Neither state nor view must be there.
bool is_fresh(const KeyCommit& key) {
  return key.expected_version.empty() && !key.edits->empty() && !key.whole && !key.discard_damage;
}

/// Where the view's number of members starts; empty for a string, which has none.
std::string members_before(const KeyCommit& key) {
  if (key.type->view == ViewKind::kString) return {};
  const auto version = parse_version(key.expected_version);
  const bool known = version && version->members && !key.discard_damage;
  return known ? std::to_string(*version->members) : "0";
}

void add_key(Arguments& out, const KeyCommit& key, std::string_view version) {
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

/// A nonce makes one version per type and mark; types mostly come in a row.
class Versions {
 public:
  explicit Versions(std::uint64_t nonce) : nonce_(nonce) {}
  std::string_view of(const crdt::Type* type, bool deferring) {
    if (type != type_ || deferring != deferring_) {
      type_ = type;
      deferring_ = deferring;
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

}  // namespace

CommitKeys::CommitKeys(std::span<const KeyCommit> keys) {
  for (const KeyCommit& key : keys) {
    CHECK(!key.whole || (!key.edits->empty() && crdt::drops(key.edits->front())));
    const bool fresh = is_fresh(key);
    const bool held = !key.expected_version.empty() && !key.discard_damage;
    if ((fresh || held) && add_single(fresh ? fresh_ : held_, key)) continue;
    (fresh ? fresh_others_ : others_).push_back(&key);
  }
}

bool CommitKeys::add_single(Runs& runs, const KeyCommit& key) {
  const crdt::State::Field* field = only_field(key);
  if (field == nullptr) return false;
  auto run = std::ranges::find_if(runs, [&](const Run& each) {
    return each.type == key.type && each.deferring == key.deferring && each.field == field->name;
  });
  if (run == runs.end()) {
    if (runs.size() == kMostRuns) return false;
    run = runs.insert(runs.end(), {key.type, key.deferring, field->name});
  }
  run->keys.push_back({&key, &*field->value});
  return true;
}

template <typename Each>
void CommitKeys::for_each(Each each) const {
  for (const Runs* runs : {&held_, &fresh_}) {
    for (const Run& run : *runs) {
      for (const Single& single : run.keys) each(*single.key);
    }
  }
  for (const auto* keys : {&fresh_others_, &others_}) {
    for (const KeyCommit* key : *keys) each(*key);
  }
}

void CommitKeys::add_names(Arguments& out) const {
  for_each([&](const KeyCommit& key) {
    const StateKey state = state_key(key.key);
    out.add_joined(state.before, state.key, state.after);
    out.add(key.key);
  });
}

void CommitKeys::add_checks(Arguments& out) const {
  CountedSection held(out);
  for (const Run& run : held_) {
    for (const Single& single : run.keys) out.add(single.key->expected_version);
  }
  held.end();
  std::size_t fresh = fresh_others_.size();
  for (const Run& run : fresh_) fresh += run.keys.size();
  out.add_number(fresh);
  for (const KeyCommit* key : others_) {
    out.add_joined(key->discard_damage ? "!" : "", key->expected_version, {});
    add_view_check(out, *key);
  }
}

void CommitKeys::add_writes(Arguments& out, std::uint64_t nonce) const {
  Versions versions(nonce);
  out.add_number(held_.size() + fresh_.size());
  for (const Runs* runs : {&held_, &fresh_}) {
    for (const Run& run : *runs) {
      out.add_number(run.keys.size());
      out.add(versions.of(run.type, run.deferring));
      out.add_joined(kFieldPrefix, run.field, {});
      for (const Single& single : run.keys) {
        out.add(*single.value);
        std::visit(OperandWriter(out), single.key->edits->back());
      }
    }
  }
  for (const auto* keys : {&fresh_others_, &others_}) {
    for (const KeyCommit* key : *keys) {
      add_key(out, *key, versions.of(key->type, key->deferring));
    }
  }
}

}  // namespace tributary::redis
