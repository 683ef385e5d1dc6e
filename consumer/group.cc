#include <algorithm>
#include <iterator>

#include <tributary/consumer/group.h>

namespace tributary {

void Group::add(DeltaRef ref) {
  const Delta& delta = *ref.delta;
  const crdt::Type* type = crdt::find_type(delta.type);
  if (type == nullptr) {
    refused_.push_back({ref, "type \"" + delta.type + "\" is unknown here; upgrade this consumer"});
    return;
  }
  auto fields = type->touched(delta.body, ref.batch->contexts.size());
  if (!fields) {
    refused_.push_back({ref, std::move(fields.error().message)});
    return;
  }
  const auto [entry, fresh] = slot_of_.try_emplace(delta.key, slots_.size());
  if (fresh) {
    slots_.push_back({.key = delta.key, .type = type, .fields = std::move(*fields)});
  } else {
    Slot& slot = slots_[entry->second];
    slot.fields.all = slot.fields.all || fields->all;
    std::move(fields->names.begin(), fields->names.end(), std::back_inserter(slot.fields.names));
  }
  items_.push_back({ref, entry->second});
}

void Group::refuse(const Item& item, std::string reason) {
  refused_.push_back({item.ref, std::move(reason)});
}

void Group::refuse_keys(std::span<const ForeignView> views) {
  for (const ForeignView& view : views) {
    const auto slot = slot_of_.find(view.key);
    if (slot == slot_of_.end()) continue;
    slots_[slot->second].refused = true;
    slots_[slot->second].joined = false;
    for (const Item& item : items_) {
      if (item.slot != slot->second) continue;
      refuse(item, "the key holds a Redis " + view.found +
                       " that Tributary did not write; move it " + "away, then retry");
    }
  }
  std::erase_if(items_, [&](const Item& item) { return slots_[item.slot].refused; });
}

Result<void> Group::load(ReplicaStore& store) {
  std::vector<KeyLoad> loads;
  std::vector<std::size_t> wanted;
  loads.reserve(slots_.size());
  wanted.reserve(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.refused) continue;
    auto& names = slot.fields.names;
    if (names.size() > 1) {
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
    }
    loads.push_back({slot.key, slot.fields});
    wanted.push_back(i);
  }
  if (loads.empty()) return {};
  TRIBUTARY_ASSIGN(auto loaded, store.load(loads));
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    Slot& slot = slots_[wanted[i]];
    slot.loaded = std::move(loaded[i]);
    slot.edits.clear();
    slot.joined = false;
  }
  return {};
}

void Group::refuse_wrong_types() {
  for (const Item& item : items_) {
    const Slot& slot = slots_[item.slot];
    const std::string& held =
        slot.loaded.type.empty() ? std::string(slot.type->name) : slot.loaded.type;
    if (item.ref.delta->type == held) continue;
    refuse(item, "the key is a " + held + " here, the change is for a " + item.ref.delta->type +
                     "; two origins disagree on its keyspace");
  }
  std::erase_if(items_, [&](const Item& item) {
    return std::any_of(refused_.begin(), refused_.end(),
                       [&](const Refused& refused) { return refused.ref.delta == item.ref.delta; });
  });
}

void Group::join(VersionVector watermark) {
  const bool disagree = std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    const Slot& slot = slots_[item.slot];
    return item.ref.delta->type != slot.type->name ||
           (!slot.loaded.type.empty() && slot.loaded.type != slot.type->name);
  });
  if (disagree) refuse_wrong_types();
  const Batch* current = nullptr;
  for (const Item& item : items_) {
    if (current != nullptr && current != item.ref.batch) {
      watermark.raise(current->actor, current->last_seq);
    }
    current = item.ref.batch;
    Slot& slot = slots_[item.slot];
    const crdt::Type& type = *crdt::find_type(item.ref.delta->type);
    const crdt::DeltaSource source{current->actor, item.ref.delta->last_seq, current->contexts,
                                   &watermark};
    slot.type = &type;
    slot.deferring =
        type.join(item.ref.delta->body, source, slot.loaded.state, slot.edits).deferring;
    slot.joined = true;
    any_deferring_ = any_deferring_ || slot.deferring;
  }
  commits_.clear();
  for (const Slot& slot : slots_) {
    if (!slot.joined) continue;
    commits_.push_back({slot.key, slot.type, slot.loaded.version, &slot.loaded.state, &slot.edits,
                        slot.deferring});
  }
}

std::vector<std::pair<std::string_view, crdt::ViewKind>> Group::views() const {
  std::vector<std::pair<std::string_view, crdt::ViewKind>> views;
  for (const Slot& slot : slots_) {
    if (slot.joined && !slot.edits.empty()) views.emplace_back(slot.key, slot.type->view);
  }
  return views;
}

}  // namespace tributary
