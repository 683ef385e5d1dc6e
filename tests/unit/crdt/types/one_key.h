/// The cast of the types' truth tables: writers whose changes are sealed one call a batch, and
/// replicas of the one key they write to.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/crdt/type.h>

namespace tributary::one_key {

/// One change, in the words of the test.
struct Said {
  std::string_view operation;
  std::string_view value = {};
  VersionVector seen = {};  ///< of others; a writer has always seen its own changes
  std::uint64_t at = 0;     ///< HLC; 0: one above the writer's last
  std::int64_t amount = 0;
  std::optional<Seq> own = std::nullopt;  ///< of its own changes; absent: all before
};

/// A sealed batch with one delta.
struct Sent {
  ActorId actor;
  Seq last;
  std::vector<VersionVector> contexts;
  std::string body;
};

class Writer {
 public:
  Writer(std::string_view type, std::uint64_t actor)
      : type_(*crdt::find_type(type)), actor_{actor} {}

  /// Seals the changes, joined into one delta.
  Sent writes_all(std::span<const Said> changes) {
    std::vector<crdt::SealedChange> sealed;
    for (const Said& said : changes) {
      seq_ = seq_.next();
      hlc_ = Hlc{said.at != 0 ? said.at : hlc_.value + 1};
      (said.amount >= 0 ? totals_.increments : totals_.decrements) +=
          said.amount >= 0 ? said.amount : -said.amount;
      sealed.push_back({seq_,
                        hlc_,
                        crdt::find_operation(type_, said.operation),
                        {},
                        said.value,
                        said.amount,
                        totals_,
                        &said.seen,
                        said.own ? *said.own : Seq{seq_.value - 1}});
    }
    crdt::ContextTable contexts;
    std::string body = type_.seal(actor_, sealed, contexts);
    return {actor_, seq_, contexts.contexts(), std::move(body)};
  }
  Sent writes(std::initializer_list<Said> changes) {
    return writes_all({changes.begin(), changes.size()});
  }
  Sent writes(const Said& change) { return writes_all({&change, 1}); }

 private:
  const crdt::Type& type_;
  ActorId actor_;
  Seq seq_;
  Hlc hlc_;
  crdt::Totals totals_;
};

class Replica {
 public:
  explicit Replica(std::string_view type) : type_(*crdt::find_type(type)) { state_.set_complete(); }

  Replica& receives(const Sent& sent) {
    edits_.clear();
    deferring_ =
        type_.join(sent.body, {sent.actor, sent.last, sent.contexts, &watermark_}, state_, edits_)
            .deferring;
    watermark_.raise(sent.actor, sent.last);
    return *this;
  }
  /// Takes over the other's state and watermark.
  Replica& merges(const Replica& other) {
    deferring_ = type_.merge(state_, watermark_, other.state_, other.watermark_).deferring;
    watermark_.join(other.watermark_);
    return *this;
  }
  Replica& prunes() {
    deferring_ = type_.prune(state_, watermark_).deferring;
    return *this;
  }

  /// Members or the value, joined by blanks; "(nothing)" when the view does not exist.
  [[nodiscard]] std::string shows() const {
    std::string text;
    for (const crdt::ViewEdit& edit : type_.render(state_)) {
      const crdt::ViewEntry entry = *crdt::entry_of(edit);
      text.append(text.empty() ? "" : " ").append(entry.name.empty() ? entry.value : entry.name);
    }
    return text.empty() ? "(nothing)" : text;
  }
  /// What a writer beside this replica has seen.
  [[nodiscard]] const VersionVector& seen() const { return watermark_; }
  /// What the last batch did to the view.
  [[nodiscard]] const crdt::ViewEdits& edits() const { return edits_; }
  /// Some removes wait for changes that this replica has not received.
  [[nodiscard]] bool deferring() const { return deferring_; }

 private:
  const crdt::Type& type_;
  crdt::State state_;
  VersionVector watermark_;
  crdt::ViewEdits edits_;
  bool deferring_ = false;
};

}  // namespace tributary::one_key
