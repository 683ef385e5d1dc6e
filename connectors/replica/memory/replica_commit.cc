#include "connectors/replica/memory/replica_commit.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace tributary {
namespace {

tl::unexpected<Error> conflict(const std::string& what) {
  return fail(ErrorKind::kConflict,
              "replica in memory: it is not as it was when it was read: " + what);
}

const MemoryState* find_state(const ReplicaDisk& disk, std::string_view key) {
  const auto state = disk.states.find(key);
  return state == disk.states.end() ? nullptr : &state->second;
}

Result<void> check_progress(const ReplicaDisk& disk, const ReplicaCommit& commit) {
  const ReplicaProgress& progress = disk.progress;
  if (commit.expected_token && *commit.expected_token != progress.token) return conflict("token");
  for (const Advance& advance : commit.advances) {
    CHECK(advance.from <= advance.to);
    if (progress.watermark.get(advance.actor) != advance.from) {
      return conflict("watermark " + advance.actor.hex());
    }
  }
  if (commit.watermark_at_most == nullptr) return {};
  for (const auto& [actor, seq] : progress.watermark) {
    if (seq > commit.watermark_at_most->get(actor)) return conflict("watermark " + actor.hex());
  }
  return {};
}

Result<void> check_view(const ReplicaDisk& disk, const KeyCommit& key) {
  if (key.edits->empty() || (key.whole && key.discard_damage)) return {};
  const auto changed = changed_view(disk, key.key, key.type->view);
  if (!changed || (key.whole && !changed->foreign)) return {};
  return conflict("view " + std::string(key.key));
}

Result<void> check_key(const ReplicaDisk& disk, const ReplicaCommit& commit, const KeyCommit& key) {
  const MemoryState* state = find_state(disk, key.key);
  const bool damaged = state != nullptr && (!state->stray.empty() || state->version.empty());
  if (damaged && !key.discard_damage) return conflict("state " + std::string(key.key));
  const std::string_view version = state == nullptr ? std::string_view{} : state->version;
  if (version != key.expected_version) return conflict("version " + std::string(key.key));
  const bool named = std::any_of(commit.blocks.begin(), commit.blocks.end(),
                                 [&](const BlockCommit& block) { return block.key == key.key; });
  if (!named && disk.blocked.contains(key.key)) return conflict("blocked " + std::string(key.key));
  return check_view(disk, key);
}

bool of_string(const KeyCommit& key) { return key.type->view == crdt::ViewKind::kString; }

void write_view(ReplicaDisk& disk, const KeyCommit& key) {
  if (key.discard_damage && key.whole) disk.views.erase(std::string(key.key));
  if (key.edits->empty()) return;
  CHECK(!key.whole || crdt::drops(key.edits->front()));
  apply(disk, key.key, key.type->view, *key.edits);
}

void write_state(ReplicaDisk& disk, const KeyCommit& key, const std::string& nonce) {
  MemoryState& state = disk.states[std::string(key.key)];
  state.type = key.type->name;
  state.version = state.type + " " + nonce;
  for (const auto& field : key.state->fields()) {
    if (!field.changed) continue;
    if (field.value) state.fields[field.name] = *field.value;
    else state.fields.erase(field.name);
  }
  if (key.edits->empty()) return;
  const auto view = disk.views.find(key.key);
  state.members = view == disk.views.end() ? 0 : view->second.size();
}

void park(ReplicaDisk& disk, const ParkedEntry& parked) {
  disk.parked[parked.id] = parked;
  disk.parked_of_key[parked.key].insert(parked.id);
}

void unpark(ReplicaDisk& disk, const std::string& id) {
  const auto parked = disk.parked.find(id);
  if (parked == disk.parked.end()) return;
  const auto of_key = disk.parked_of_key.find(parked->second.key);
  of_key->second.erase(id);
  if (of_key->second.empty()) disk.parked_of_key.erase(of_key);
  disk.parked.erase(parked);
}

void block(ReplicaDisk& disk, const BlockCommit& block, const std::string& nonce) {
  KeyBlock& written = disk.blocked[std::string(block.key)];
  written = *block.next;
  written.mark = nonce;
}

void write_progress(ReplicaProgress& progress, const ReplicaCommit& commit) {
  for (const Advance& advance : commit.advances)
    progress.watermark.raise(advance.actor, advance.to);
  for (const auto& [actor, record] : commit.actors) progress.actors[actor] = record;
  for (const auto& [origin, each] : commit.progress) progress.origins[origin] = each;
  progress.hlc = std::max(progress.hlc, commit.hlc);
}

void note_discarded(std::set<std::string>& discarded, const ReplicaCommit& commit) {
  discarded.insert(commit.discarded.begin(), commit.discarded.end());
  for (const std::string& id : commit.regained) discarded.erase(id);
}

using Writes = std::vector<std::function<void()>>;

void add_keys(Writes& writes, ReplicaDisk& disk, const ReplicaCommit& commit,
              const std::string& nonce) {
  for (const KeyCommit& key : commit.keys) {
    if (key.discard_damage) {
      writes.emplace_back([&] { disk.states.erase(std::string(key.key)); });
    }
    if (!of_string(key)) writes.emplace_back([&] { write_view(disk, key); });
    writes.emplace_back([&] { write_state(disk, key, nonce); });
  }
  for (const KeyCommit& key : commit.keys) {
    if (of_string(key)) writes.emplace_back([&] { write_view(disk, key); });
  }
}

/// What a commit writes, in the order of the one in Redis (replica/redis/commit.lua).
Writes writes_of(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce) {
  Writes writes;
  for (const ParkedEntry& parked : commit.parked) {
    writes.emplace_back([&] { park(disk, parked); });
  }
  for (const BlockCommit& each : commit.blocks) {
    if (each.next) writes.emplace_back([&] { block(disk, each, nonce); });
  }
  add_keys(writes, disk, commit, nonce);
  writes.emplace_back([&] { write_progress(disk.progress, commit); });
  for (const std::string& id : commit.unparked) {
    writes.emplace_back([&] { unpark(disk, id); });
  }
  writes.emplace_back([&] { note_discarded(disk.discarded, commit); });
  for (const BlockCommit& each : commit.blocks) {
    if (!each.next) writes.emplace_back([&] { disk.blocked.erase(std::string(each.key)); });
  }
  return writes;
}

}  // namespace

std::optional<ChangedView> changed_view(const ReplicaDisk& disk, std::string_view key,
                                        crdt::ViewKind kind) {
  const MemoryState* state = find_state(disk, key);
  const auto view = disk.views.find(key);
  const bool there = view != disk.views.end();
  ChangedView changed{std::string(key),
                      there ? std::string(crdt::to_string(view->second.kind)) : "none",
                      there && view->second.kind != kind, there && state == nullptr};
  if (changed.foreign || changed.stateless) return changed;
  if (kind == crdt::ViewKind::kString || state == nullptr) return std::nullopt;
  const std::size_t members = there ? view->second.size() : 0;
  return members == state->members ? std::nullopt : std::optional(std::move(changed));
}

Result<void> check(const ReplicaDisk& disk, const ReplicaCommit& commit) {
  TRIBUTARY_TRY(check_progress(disk, commit));
  for (const KeyCommit& key : commit.keys) TRIBUTARY_TRY(check_key(disk, commit, key));
  for (const BlockCommit& block : commit.blocks) {
    const auto found = disk.blocked.find(block.key);
    const std::string_view mark =
        found == disk.blocked.end() ? std::string_view{} : std::string_view{found->second.mark};
    if (mark != block.expected_mark) return conflict("mark " + std::string(block.key));
  }
  return {};
}

void write(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce) {
  for (const KeyCommit& key : commit.keys) {
    if (key.deferring) disk.deferring.emplace(key.key);
    else disk.deferring.erase(std::string(key.key));
  }
  for (const auto& each : writes_of(disk, commit, nonce)) each();
  for (const std::string& key : commit.finished) std::erase(disk.progress.unfinished, key);
  if (commit.expected_token) disk.progress.token = nonce;
}

void write_half(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce,
                std::uint64_t draw) {
  disk.progress.token = "unfinished " + nonce;
  std::set<std::string> names(disk.progress.unfinished.begin(), disk.progress.unfinished.end());
  for (const KeyCommit& key : commit.keys) {
    names.emplace(key.key);
    if (key.deferring) disk.deferring.emplace(key.key);
  }
  for (const BlockCommit& each : commit.blocks) names.emplace(each.key);
  disk.progress.unfinished.assign(names.begin(), names.end());
  const Writes writes = writes_of(disk, commit, nonce);
  for (std::size_t i = 0; i < draw % (writes.size() + 1); ++i) writes[i]();
}

}  // namespace tributary
