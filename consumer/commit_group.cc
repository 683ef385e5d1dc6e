#include "consumer/commit_group.h"

#include <algorithm>
#include <iterator>

namespace tributary {
namespace {

constexpr std::string_view kBehindParked = "an earlier change to the key is parked";
constexpr Limits kAnyLength{.key_bytes = std::size_t{1} << 30};

std::string foreign_reason(const std::string& found) {
  return "the key holds a Redis " + found +
         " that Tributary did not write; move it away, then `tributary parked retry`";
}

const Keyspace* keyspace_of(const Schema& schema, std::string_view key) {
  for (const Keyspace& keyspace : schema.keyspaces) {
    if (matches(keyspace.pattern, key)) return &keyspace;
  }
  return nullptr;
}

}  // namespace

std::string_view keyspace_type(const Schema& schema, std::string_view key) {
  const Keyspace* keyspace = keyspace_of(schema, key);
  return keyspace == nullptr ? std::string_view{} : std::string_view{keyspace->type};
}

std::string refused_reason(const Schema& schema, std::string_view key) {
  const Keyspace* keyspace = keyspace_of(schema, key);
  const std::string allow = keyspace == nullptr ? "a pattern that matches it" : keyspace->pattern;
  return "the replica's user may not touch this key; grant ~" + allow +
         " (Redis: ACL SETUSER), then `tributary parked retry`";
}

crdt::ViewEdits whole_view(const crdt::Type& type, const crdt::State& state) {
  crdt::ViewEdits edits{crdt::DropView{}};
  auto rendered = type.render(state);
  std::move(rendered.begin(), rendered.end(), std::back_inserter(edits));
  return edits;
}

std::string retyped_reason(std::string_view held, std::string_view keyspace) {
  return std::string(kRetyped) + "the key was a " + std::string(held) + " and becomes a " +
         std::string(keyspace) + "; a consumer that knows makes it anew from the changelogs";
}

// ---- what is to be joined ------------------------------------------------------------------

void CommitGroup::reserve(std::size_t deltas) {
  items_.reserve(deltas);
  slots_.reserve(deltas);
  loads_.reserve(deltas);
  slot_of_.reserve(deltas);
}

std::size_t CommitGroup::slot_for(std::string_view key) {
  const auto [entry, fresh] = slot_of_.try_emplace(key, slots_.size());
  if (fresh) {
    slots_.push_back({.keyspace_type = keyspace_type(*schema_, key)});
    loads_.push_back({key, {}});
  }
  return entry->second;
}

void CommitGroup::add(DeltaRef ref) {
  const Delta& delta = *ref.delta;
  if (auto legal = check_key(kAnyLength, delta.key); !legal) {
    return add_beside(ref, std::move(legal.error().message));
  }
  const std::size_t index = slot_for(delta.key);
  Slot& slot = slots_[index];
  if (!slot.keyspace_type.empty() && slot.keyspace_type != delta.type.name) {
    return add_beside(ref, std::string(kWrongType) + "the keyspace says " +
                               std::string(slot.keyspace_type) + ", the change is for a " +
                               delta.type.name +
                               "; two origins disagree. The changelog has all of them");
  }
  const crdt::Type* type = delta.type.known;
  Item item{ref, index, type};
  if (type == nullptr) {
    item.refused = std::string(kUnknownType) + delta.type.name + "; upgrade this consumer";
  } else if (auto fields = type->touched(delta.body, bounds_of(*ref.batch)); !fields) {
    item.refused = std::move(fields.error().message);
  } else if (!slot.closed) {
    if (slot.type == nullptr) slot.type = type;
    crdt::FieldSelection& selection = loads_[index].fields;
    selection.all = selection.all || fields->all;
    auto& names = selection.names;
    if (names.empty()) names = std::move(fields->names);
    else std::move(fields->names.begin(), fields->names.end(), std::back_inserter(names));
  }
  slot.closed = slot.closed || !item.refused.empty();
  items_.push_back(std::move(item));
}

void CommitGroup::found(std::span<const ChangedView> views) {
  for (const ChangedView& view : views) {
    const auto entry = slot_of_.find(view.key);
    if (entry == slot_of_.end()) continue;
    Slot& slot = slots_[entry->second];
    if (view.refused) slot.refused = true;
    else if (slot.edits.empty()) continue;  // its view was not asked for
    else if (view.foreign) slot.foreign = foreign_reason(view.found);
    else if (view.stateless) slot.stateless = true;
    else slot.whole = true;
  }
}

Result<void> CommitGroup::load(ReplicaStore& store) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& names = loads_[i].fields.names;
    if (names.size() > 1) {
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
    }
    if (slots_[i].whole) loads_[i].fields = {true, {}};
  }
  if (loads_.empty()) return {};
  loaded_.clear();
  TRIBUTARY_ASSIGN(loaded_, store.load(loads_));
  return {};
}

// ---- joining -------------------------------------------------------------------------------

void CommitGroup::set_aside(std::size_t slot, std::string reason, bool incomplete) {
  slots_[slot].aside = aside_.size();
  aside_.push_back({loads_[slot].key, &loaded_[slot].block, incomplete, std::move(reason)});
}

void CommitGroup::start(std::size_t index) {
  Slot& slot = slots_[index];
  slot.edits.clear();
  slot.joined = false;
  slot.aside.reset();
  const LoadedKey& loaded = loaded_[index];
  if (!loaded.block.mark.empty()) {
    // That a change of the keyspace's type comes decides it.
    const bool retyped =
        loaded.block.reason.starts_with(kOtherType) && other_type(loaded.type, slot.keyspace_type);
    set_aside(
        index,
        retyped ? retyped_reason(loaded.type, slot.keyspace_type) : std::string(kBehindParked),
        false);
  } else if (slot.refused || loaded.refused) {
    set_aside(index, refused_reason(*schema_, loads_[index].key), false);
  } else if (!loaded.damage.empty()) {
    set_aside(index, loaded.damage + "; it is being rebuilt from the changelogs", true);
  } else if (!slot.foreign.empty()) {
    set_aside(index, slot.foreign, false);
  } else if (slot.stateless && loaded.version.empty()) {
    set_aside(index,
              "the key has a view, but its state is gone; it is being rebuilt from the changelogs",
              true);
  }
}

bool CommitGroup::joinable(const Item& item) {
  const Slot& slot = slots_[item.slot];
  if (slot.aside) {
    aside_[*slot.aside].deltas.push_back({item.ref, aside_[*slot.aside].reason});
    return false;
  }
  if (!item.refused.empty()) return refuse(item, item.refused, false);
  const std::string& type = item.ref.delta->type.name;
  const std::string& loaded = loaded_[item.slot].type;
  const std::string_view held = loaded.empty() ? slot.type->name : std::string_view(loaded);
  if (type == held) return true;
  if (!slot.keyspace_type.empty()) return refuse(item, retyped_reason(held, type), false);
  if (held < type) {
    beside_.push_back({item.ref, std::string(kWrongType) + "the key is a " + std::string(held) +
                                     " here, the change is for a " + type +
                                     "; no keyspace decides, so the first by name counts"});
    return false;
  }
  return refuse(item,
                "changes come for a " + std::string(held) + " and for a " + type +
                    "; no keyspace decides, so the first by name counts: the key is being "
                    "rebuilt from the changelogs",
                true);
}

bool CommitGroup::refuse(const Item& item, const std::string& reason, bool incomplete) {
  set_aside(item.slot, reason, incomplete);
  aside_.back().deltas.push_back({item.ref, reason});
  return false;
}

void CommitGroup::join_item(const Item& item, const VersionVector& watermark) {
  Slot& slot = slots_[item.slot];
  const Batch& batch = *item.ref.batch;
  const crdt::DeltaSource source{batch.actor, item.ref.delta->last_seq, batch.contexts, &watermark};
  slot.type = item.type;
  slot.deferring =
      item.type->join(item.ref.delta->body, source, loaded_[item.slot].state, slot.edits).deferring;
  slot.joined = true;
  any_deferring_ = any_deferring_ || slot.deferring;
}

void CommitGroup::join(VersionVector watermark) {
  aside_.clear();
  beside_ = refused_;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) start(slot);
  const Batch* current = nullptr;
  for (const Item& item : items_) {
    if (current != nullptr && current != item.ref.batch) {
      watermark.raise(current->actor, current->last_seq);
    }
    current = item.ref.batch;
    if (joinable(item)) join_item(item, watermark);
  }
  collect_commits();
}

void CommitGroup::collect_commits() {
  commits_.clear();
  commits_.reserve(slots_.size());
  std::erase_if(aside_, [](const AsideKey& key) { return key.deltas.empty(); });
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!slot.joined) continue;
    const LoadedKey& loaded = loaded_[i];
    if (slot.whole) slot.edits = whole_view(*slot.type, loaded.state);
    commits_.push_back({loads_[i].key, slot.type, loaded.version, &loaded.state, &slot.edits,
                        slot.deferring, slot.whole});
  }
}

std::vector<std::pair<std::string_view, crdt::ViewKind>> CommitGroup::views() const {
  std::vector<std::pair<std::string_view, crdt::ViewKind>> views;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].joined) views.emplace_back(loads_[i].key, slots_[i].type->view);
  }
  return views;
}

}  // namespace tributary
