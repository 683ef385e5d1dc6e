#include "relay/succession.h"

#include <algorithm>
#include <map>

namespace tributary {
namespace {

/// The last seq of `actor` that anybody has seen.
Seq published(const Testimony& testimony, ActorId actor) {
  Seq seq = testimony.changelog.highest_of(actor);
  for (const ReplicaProgress& replica : testimony.replicas) {
    seq = std::max(seq, replica.watermark.get(actor));
  }
  return seq;
}

/// The last of its seqs that must not be given again, whether anybody can ever apply it or not.
Seq taken(const Testimony& testimony, ActorId actor) {
  const auto cut_off = testimony.changelog.cut_off.find(actor);
  const Seq seq = published(testimony, actor);
  return cut_off == testimony.changelog.cut_off.end() ? seq : std::max(seq, cut_off->second);
}

/// Its last seq that counts, as a successor told: by what replicas obeyed, else by the log; absent:
/// nobody has heard of one.
std::optional<Seq> retired_at(const Testimony& testimony, ActorId actor) {
  std::optional<Seq> last;
  for (const ReplicaProgress& replica : testimony.replicas) {
    const auto known = replica.actors.find(actor);
    if (known == replica.actors.end() || !known->second.final_seq) continue;
    last = std::max(last, known->second.final_seq);
  }
  if (last) return last;
  const auto& retired = testimony.changelog.retired;
  if (const auto told = retired.find(actor); told != retired.end()) last = told->second;
  return last;
}

bool is_retired(const Testimony& testimony, ActorId actor) {
  return retired_at(testimony, actor).has_value();
}

/// Somebody published as an actor of this origin that the database has never heard of.
bool strangers(const Testimony& testimony, const OriginName& origin) {
  const OriginRecord& record = testimony.record;
  const auto known = [&](ActorId actor) {
    return record.actor == actor || names(record.former, actor);
  };
  const auto stranger = [&](const auto& entry) {
    return entry.second.origin == origin && !known(entry.first);
  };
  return !std::ranges::all_of(testimony.changelog.order, known) ||
         std::ranges::any_of(testimony.replicas, [&](const ReplicaProgress& replica) {
           return std::ranges::any_of(replica.actors, stranger);
         });
}

/// This very relay published what the database does not know of any more: that may reach the
/// changelog yet.
bool forgot_handed(const Testimony& testimony) {
  const auto& handed = testimony.handed;
  if (!handed) return false;
  const OriginRecord& record = testimony.record;
  if (record.actor == handed->actor) return record.head_seq < handed->final_seq;
  return !names(record.former, handed->actor);
}

/// What the database knows of should be in the changelog and is not; nor has any replica applied
/// exactly that.
bool lost(const Testimony& testimony) {
  const auto last = last_known(testimony.record);
  if (!last || holds_known(testimony.record, testimony.changelog)) return false;
  return std::ranges::none_of(testimony.replicas, [&](const ReplicaProgress& replica) {
    return replica.watermark.get(last->actor) == last->final_seq;
  });
}

/// Nobody has ever heard of the database's actor: its record was to stand in the changelog before
/// anything else of it, behind what was published by those before it; these still stand there, and
/// it does not. Such actors are not named, or many of them would hide whom the regions go by. A log
/// may have lost its end, so every region must say so.
bool never_published(const Testimony& testimony) {
  const OriginRecord& record = testimony.record;
  const ActorId actor = *record.actor;
  const ChangelogEvidence& log = testimony.changelog;
  const auto heard_of = [&](const ReplicaProgress& replica) {
    return replica.actors.contains(actor) || replica.watermark.get(actor) > Seq{};
  };
  const bool reaches_back = std::ranges::any_of(
      record.former, [&](const FormerActor& each) { return log.highest.contains(each.actor); });
  return record.head_seq == Seq{} && reaches_back && testimony.all_replicas &&
         !names(record.former, actor) && std::ranges::find(log.order, actor) == log.order.end() &&
         std::ranges::none_of(testimony.replicas, heard_of);
}

/// The origin's actors in the order in which they followed each other.
class Chain {
 public:
  Chain(const Testimony& testimony, const OriginName& origin) : testimony_(testimony) {
    const OriginRecord& record = testimony.record;
    for (const FormerActor& former : record.former) add(former.actor, former.final_seq);
    // Also one of which nobody here has seen a thing: a region that cannot be asked may have.
    if (record.actor && !never_published(testimony)) add(*record.actor, record.head_seq);
    for (const ReplicaProgress& replica : testimony.replicas) add_known(replica, origin);
    for (const ActorId actor : testimony.changelog.order) add(actor, Seq{});
    if (const auto tip = find_tip(origin)) move_last(*tip);
  }
  [[nodiscard]] std::vector<FormerActor> take() { return std::move(chain_); }

 private:
  /// Its final seq is what its successor told, if one did: of what was sealed beyond that in a
  /// database that did not know, nothing counts. Else it is all that was sealed, which is published
  /// before a successor's record; but of one that forked, all that was published.
  void add(ActorId actor, Seq sealed) {
    if (testimony_.forks.contains(actor)) sealed = Seq{};
    const auto known = std::ranges::find(chain_, actor, &FormerActor::actor);
    if (known == chain_.end()) {
      const Seq last = retired_at(testimony_, actor).value_or(sealed);
      chain_.push_back({actor, std::max(published(testimony_, actor), last)});
    } else if (!is_retired(testimony_, actor)) {
      known->final_seq = std::max(known->final_seq, sealed);
    }
  }

  /// The retired ones, then the one that is current there.
  void add_known(const ReplicaProgress& replica, const OriginName& origin) {
    for (const bool retired : {true, false}) {
      for (const auto& [actor, record] : replica.actors) {
        if (record.origin != origin || record.final_seq.has_value() != retired) continue;
        add(actor, record.final_seq.value_or(Seq{}));
      }
    }
  }

  [[nodiscard]] std::optional<ActorId> find_tip(const OriginName& origin) const {
    // What a retired actor's relay left in a socket may stand last.
    const auto& order = testimony_.changelog.order;
    for (auto actor = order.rbegin(); actor != order.rend(); ++actor) {
      if (!is_former(*actor)) return *actor;
    }
    for (const ReplicaProgress& replica : testimony_.replicas) {
      const auto known = replica.origins.find(origin);
      // A replica that has not read on may still go by one that the database knows as former.
      if (known != replica.origins.end() && !is_former(known->second.actor)) {
        return known->second.actor;
      }
    }
    return std::nullopt;
  }

  void move_last(ActorId actor) {
    const auto at = std::ranges::find(chain_, actor, &FormerActor::actor);
    if (at != chain_.end()) std::rotate(at, at + 1, chain_.end());
  }

  [[nodiscard]] bool is_former(ActorId actor) const {
    return is_retired(testimony_, actor) || names(testimony_.record.former, actor);
  }

  const Testimony& testimony_;
  std::vector<FormerActor> chain_;
};

/// Of the newest of the chain that published anything, up to its final seq.
HistoryDigest history_of_last(const Testimony& testimony, std::span<const FormerActor> chain,
                              const OriginName& origin) {
  const auto last = last_published(chain);
  if (!last) return {};
  const OriginRecord& record = testimony.record;
  // What a database holds that forked was not what was published.
  if (!testimony.forks.contains(last->actor) && last_known(record) == *last) {
    const HistoryDigest known = record.head_seq > Seq{} ? record.history : record.former_history;
    if (known.known()) return known;
  }
  const ChangelogEvidence& log = testimony.changelog;
  const HistoryDigest told = log.history_of(last->actor);
  if (log.highest_of(last->actor) == last->final_seq && told.known()) return told;
  for (const ReplicaProgress& replica : testimony.replicas) {
    const auto known = replica.origins.find(origin);
    if (known == replica.origins.end() || known->second.actor != last->actor) continue;
    const bool there = replica.watermark.get(last->actor) == last->final_seq;
    if (there && known->second.history.known()) return known->second.history;
  }
  return {};
}

std::optional<std::string> why_mint(const Testimony& testimony, const Verdict& verdict) {
  const OriginRecord& record = testimony.record;
  if (!record.actor) return "the outbox is new";
  if (verdict.restored) {
    return "changes beyond the database's head were published (restored from a backup)";
  }
  if (record.identity != record.current_identity) {
    return "the database's identity changed (a copy, or a promoted standby)";
  }
  if (!testimony.own_replica) {
    return "the region's replica cannot be asked whether changes beyond the head were published";
  }
  const bool absent = record.head_seq > Seq{} && !holds_known(record, testimony.changelog);
  if (verdict.log_lost || absent) {
    return "the changelog holds nothing of the actor: it was lost, or is another one";
  }
  return std::nullopt;
}

}  // namespace

std::optional<FormerActor> last_known(const OriginRecord& record) {
  if (record.actor && record.head_seq > Seq{}) return FormerActor{*record.actor, record.head_seq};
  return last_published(record.former);
}

bool holds_known(const OriginRecord& record, const ChangelogEvidence& changelog) {
  if (!record.actor || record.head_seq == Seq{}) return !changelog.highest.empty();
  return changelog.highest.contains(*record.actor);
}

Verdict judge(const Testimony& testimony, const OriginName& origin) {
  const OriginRecord& record = testimony.record;
  Verdict verdict;
  verdict.hlc = std::max(record.hlc, testimony.changelog.hlc);
  for (const ReplicaProgress& replica : testimony.replicas) {
    verdict.hlc = std::max(verdict.hlc, replica.hlc);
  }
  verdict.hlc = std::min(verdict.hlc, kMaxHlc);
  verdict.restored = strangers(testimony, origin) || forgot_handed(testimony) ||
                     (record.actor && testimony.forks.contains(*record.actor));
  if (record.actor) {
    verdict.restored = verdict.restored || is_retired(testimony, *record.actor) ||
                       taken(testimony, *record.actor) > record.head_seq;
    verdict.log_lost = lost(testimony);
  }
  verdict.chain = Chain(testimony, origin).take();
  verdict.former_history = history_of_last(testimony, verdict.chain, origin);
  verdict.mint_because = why_mint(testimony, verdict);
  return verdict;
}

}  // namespace tributary
