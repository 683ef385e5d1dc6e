#include "consumer/rebuild_pass.h"

#include <algorithm>

#include "consumer/commit_group.h"

namespace tributary {
namespace {

constexpr std::string_view kCopy =
    "copy the replica of a region that lacks nothing over this one (docs/operations.md, \"A new or "
    "empty replica\")";

constexpr Millis kReadWait{200};
constexpr int kCatchUpRounds = 150;  // half a minute of a log that says nothing

bool covers(const VersionVector& seen, const VersionVector& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    return seen.covers({entry.first, entry.second});
  });
}

/// Pointwise minimum: what was read and is applied, so that it is joined already.
VersionVector least(const VersionVector& read, const VersionVector& applied) {
  VersionVector least;
  for (const auto& [actor, seq] : read) least.raise(actor, std::min(seq, applied.get(actor)));
  return least;
}

/// What a former actor got in before its successor's record counts, though the record names less.
std::map<ActorId, ActorRecord> as_applied(const ReplicaProgress& progress) {
  std::map<ActorId, ActorRecord> actors = progress.actors;
  for (auto& [actor, record] : actors) {
    if (record.final_seq) {
      record.final_seq = std::max(*record.final_seq, progress.watermark.get(actor));
    }
  }
  return actors;
}

}  // namespace

RebuildPass::RebuildPass(const Changelogs& changelogs, const Schema& schema,
                         const ReplicaProgress& progress)
    : schema_(schema),
      progress_(progress),
      applied_(progress.watermark),
      known_(as_applied(progress)),
      seen_({}, known_, origins_) {
  for (const auto& [origin, changelog] : changelogs) {
    origins_.push_back(origin);
    sources_[origin].changelog = changelog;
  }
  for (const auto& [origin, each] : progress.origins) {
    heads_.raise(each.actor, each.head_seq);
    if (const auto source = sources_.find(origin); source != sources_.end()) {
      source->second.current = each.actor;
    }
  }
  heads_.join(progress.watermark);
}

void RebuildPass::want(const std::string& key) {
  RebuiltKey& wanted = keys_[key];
  wanted.keyspace_type = keyspace_type(schema_, key);
  wanted.state.set_complete();
}

Result<void> RebuildPass::read_all(const std::stop_token& stop) {
  for (auto& [origin, source] : sources_) {
    TRIBUTARY_TRY(as_far_as_it_goes(source, read_to_end(origin, source, stop), stop));
  }
  return {};
}

Result<void> RebuildPass::as_far_as_it_goes(Source& source, Result<void> read,
                                            const std::stop_token& stop) {
  if (read) return {};
  if (stop.stop_requested()) return read;
  source.reader.reset();
  source.unread = std::move(read.error().message);
  return {};
}

std::map<OriginName, std::string> RebuildPass::unread() const {
  std::map<OriginName, std::string> unread;
  for (const auto& [origin, source] : sources_) {
    if (!source.unread.empty()) unread[origin] = source.unread;
  }
  return unread;
}

Result<void> RebuildPass::read_to_end(const OriginName& origin, Source& source,
                                      const std::stop_token& stop) {
  TRIBUTARY_ASSIGN(const auto last, source.changelog->last(origin));
  TRIBUTARY_ASSIGN(source.reader, source.changelog->open_reader(origin, std::nullopt));
  int silent = 0;
  while (last && (!source.read_to || *source.read_to < last->offset)) {
    if (stop.stop_requested()) return fail(ErrorKind::kTransient, "stopping");
    TRIBUTARY_ASSIGN(const auto message, source.reader->next(kReadWait));
    if (message) take(origin, source, *message);
    silent = message ? 0 : silent + 1;
    if (silent > kCatchUpRounds) {
      return fail(ErrorKind::kTransient, "the changelog of " + origin.value + " ends early");
    }
  }
  return {};
}

Result<void> RebuildPass::drain(const OriginName& origin, Source& source) {
  while (source.reader != nullptr) {
    TRIBUTARY_ASSIGN(const auto message, source.reader->next(Millis{0}));
    if (!message) return {};
    take(origin, source, *message);
  }
  return {};
}

Result<std::string> RebuildPass::catch_up(const VersionVector& watermark,
                                          const std::stop_token& stop) {
  for (int round = 0; !covers(seen(), watermark); ++round) {
    if (stop.stop_requested()) return fail(ErrorKind::kTransient, "stopping");
    const VersionVector before = seen();
    for (auto& [origin, source] : sources_) {
      TRIBUTARY_TRY(as_far_as_it_goes(source, drain(origin, source), stop));
    }
    if (seen() == before && round > 0) break;  // the applier read it, so it must be there by now
  }
  for (const auto& [actor, seq] : watermark) {
    const Seq have = seen().get(actor);
    if (have < seq) return lacking(actor, have);
  }
  return std::string();
}

std::string RebuildPass::lacking(ActorId actor, Seq have) const {
  const OriginName* owner = seen_.owner(actor);
  const std::string origin = owner == nullptr ? std::string() : owner->value;
  const std::string changes =
      "the changes from seq " + std::to_string(have.next().value) + " on of actor " + actor.hex();
  const auto source = owner == nullptr ? sources_.end() : sources_.find(*owner);
  if (source != sources_.end() && !source->second.unread.empty()) {
    return "it waits for the changelog of origin \"" + origin +
           "\", which cannot be read and should hold " + changes +
           "; it is tried again. If that changelog is gone for good, it cannot be rebuilt: " +
           std::string(kCopy);
  }
  return "it cannot be rebuilt: the changelogs no longer hold " + changes + " (origin \"" + origin +
         "\"); " + std::string(kCopy);
}

bool RebuildPass::parts(const Source& source, const Batch& batch) const {
  return std::ranges::any_of(source.histories, [&](const auto& each) {
    return batch.contradicts(each.first, seen_.watermark().get(each.first), each.second);
  });
}

void RebuildPass::take(const OriginName& origin, Source& source, const ChangelogMessage& message) {
  source.read_to = message.offset;
  auto decoded = decode_batch(message.bytes);
  if (!decoded || decoded->origin != origin) return;  // parked as a message
  const auto batch = std::make_shared<const Batch>(std::move(*decoded));
  const VersionVector before = seen();
  if (parts(source, *batch)) return;  // the applier refuses it, too
  const Admission admission = admit(seen_, origin, {source.current}, *batch);
  const bool obeyed =
      admission.kind == Admission::Kind::kApply || admission.kind == Admission::Kind::kSeen;
  if (obeyed && !seen_.retired(batch->actor)) source.current = batch->actor;
  if (admission.kind != Admission::Kind::kApply) return;
  source.histories[batch->actor] = batch->history;
  std::optional<std::vector<VersionVector>> forged;
  for (const Delta& delta : batch->deltas) {
    const auto wanted = keys_.find(delta.key);
    if (wanted == keys_.end()) continue;
    if (!forged) forged = forged_contexts(*batch, before, heads_);
    if (names_forged(delta, batch->actor, *forged)) continue;
    if (applied_.covers({batch->actor, batch->last_seq})) {
      join(*batch, delta, wanted->second, least(before, applied_));
    } else {
      wanted->second.ahead.push_back({batch, &delta, before});
    }
  }
}

void RebuildPass::advance(const VersionVector& watermark) {
  applied_ = watermark;
  for (auto& [name, key] : keys_) {
    std::erase_if(key.ahead, [&, &key = key](const AheadChange& change) {
      const Batch& batch = *change.batch;
      if (!applied_.covers({batch.actor, batch.last_seq})) return false;
      join(batch, *change.delta, key, least(change.before, applied_));
      return true;
    });
  }
}

VersionVector RebuildPass::good_until(const RebuiltKey& key) const {
  VersionVector most = seen();
  for (const AheadChange& change : key.ahead) {
    const Seq before{change.batch->first_seq.value - 1};
    if (most.get(change.batch->actor) <= before) continue;
    most.erase(change.batch->actor);
    most.raise(change.batch->actor, before);
  }
  return most;
}

void RebuildPass::join(const Batch& batch, const Delta& delta, RebuiltKey& key,
                       const VersionVector& before) {
  const std::string_view wanted =
      key.keyspace_type.empty() ? std::string_view(key.type_name) : key.keyspace_type;
  if (wanted != delta.type.name) {
    const bool decided =
        !key.keyspace_type.empty() || (!wanted.empty() && wanted < delta.type.name);
    if (decided) return;  // set aside beside it
    key.state = {};
    key.state.set_complete();
    key.deferring = false;
    key.problem.clear();
  }
  const crdt::Type* type = delta.type.known;
  key.type = type;
  key.type_name = delta.type.name;
  if (type == nullptr) {
    key.problem = std::string(kUnknownType) + delta.type.name + "; upgrade this consumer";
    return;
  }
  if (auto fields = type->touched(delta.body, bounds_of(batch)); !fields) {
    key.problem = std::move(fields.error().message);
    return;
  }
  crdt::ViewEdits unused;
  const crdt::DeltaSource source{batch.actor, delta.last_seq, batch.contexts, &before};
  key.deferring = type->join(delta.body, source, key.state, unused).deferring;
}

}  // namespace tributary
