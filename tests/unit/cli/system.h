/// A system of two regions and two origins that is converged, to plant faults in.
#pragma once

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "cli/convergence.h"

namespace tributary::cli {

inline constexpr ActorId kShop{0xa1};        ///< of origin shop, head 100
inline constexpr ActorId kShopFormer{0xa0};  ///< ended at 40
inline constexpr ActorId kTill{0xb1};        ///< of origin till, head 15
inline constexpr Micros kNow{1'764'000'000'000'000};

inline ReplicaProgress whole_progress() {
  ReplicaProgress progress;
  progress.watermark.raise(kShop, Seq{100});
  progress.watermark.raise(kShopFormer, Seq{40});
  progress.watermark.raise(kTill, Seq{15});
  progress.actors[kShop] = {OriginName{"shop"}, {}};
  progress.actors[kShopFormer] = {OriginName{"shop"}, Seq{40}};
  progress.actors[kTill] = {OriginName{"till"}, {}};
  const Hlc heard = Hlc::from_micros(static_cast<std::uint64_t>(kNow.count()) - 2'000'000);
  progress.origins[OriginName{"shop"}] = {kShop, Offset{7}, Seq{100}, heard};
  progress.origins[OriginName{"till"}] = {kTill, Offset{3}, Seq{15}, heard};
  return progress;
}

inline OriginFacts origin_facts(const std::string& name, ActorId actor, Seq head) {
  OutboxStatus outbox;
  outbox.actor = actor;
  outbox.head_seq = head;
  outbox.confirmed_seq = head;
  OriginFacts facts;
  facts.name = name;
  facts.region = "eu";
  facts.outbox = outbox;
  return facts;
}

inline SystemFacts whole_system() {
  SystemFacts facts;
  facts.now = kNow;
  facts.origins = {origin_facts("shop", kShop, Seq{100}), origin_facts("till", kTill, Seq{15})};
  facts.origins[0].outbox->former = {{kShopFormer, Seq{40}}};
  for (const char* name : {"eu", "us"}) {
    RegionFacts region;
    region.name = name;
    region.replica.emplace();
    region.replica->progress = whole_progress();
    facts.regions.push_back(region);
  }
  return facts;
}

inline ReplicaProgress& progress_of(SystemFacts& facts, std::size_t region) {
  return facts.regions.at(region).replica->progress;
}

/// Puts an actor's watermark back, or takes it away.
inline void lower(ReplicaProgress& progress, ActorId actor, Seq seq) {
  progress.watermark.erase(actor);
  if (seq > Seq{}) progress.watermark.raise(actor, seq);
}

/// The judgement has one reason, and that holds all of `words`.
inline void check_only_reason(const StatusReport& report,
                              std::initializer_list<const char*> words) {
  CHECK_FALSE(report.converged());
  REQUIRE(report.reasons.size() == 1);
  for (const char* word : words) {
    CAPTURE(report.reasons.front());
    CHECK(report.reasons.front().find(word) != std::string::npos);
  }
}

}  // namespace tributary::cli
