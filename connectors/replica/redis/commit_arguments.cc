#include "connectors/replica/redis/commit_arguments.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "connectors/replica/redis/commit_keys.h"
#include "connectors/replica/redis/layout.h"

namespace tributary::redis {
namespace {

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
  out.add_number(commit.advances.size());
  for (const Advance& advance : commit.advances) {
    CHECK(advance.from <= advance.to);
    out.add(advance.actor.hex());
    out.add_number(advance.from.value);
  }
  add_bound(out, commit.watermark_at_most);
  out.add_number(commit.blocks.size());
  for (const BlockCommit& block : commit.blocks) {
    out.add(block.key);
    out.add(block.expected_mark);
  }
}

void add_parked(Arguments& out, const ReplicaCommit& commit) {
  out.add_number(commit.parked.size());
  for (const ParkedEntry& each : commit.parked) {
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
  CountedSection watermark(out);
  for (const Advance& advance : commit.advances) {
    if (advance.to == advance.from) continue;
    out.add(advance.actor.hex());
    out.add_number(advance.to.value);
  }
  watermark.end();
  CountedSection actors(out);
  for (const auto& [actor, record] : commit.actors) {
    out.add(actor.hex());
    out.add(encode(record));
  }
  actors.end();
  CountedSection progress(out);
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
  CountedSection keys(out);
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
  const CommitKeys keys(commit.keys);
  keys.add_names(out);
  for (const SharedKey& key : kSharedKeys) out.add(key.name);
  const std::string mark = ActorId{nonce}.hex();
  out.add(commit.expected_token ? "1" : "0");
  out.add(commit.expected_token.value_or(std::string_view{}));
  out.add(mark);
  add_preconditions(out, commit);
  keys.add_checks(out);
  add_deferring(out, commit, true);
  add_parked(out, commit);
  add_blocks(out, commit, mark);
  keys.add_writes(out, nonce);
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
