/// The inside of what a region's consumer has set aside: the message, its deltas, and what they
/// would make of an empty key.
#include <algorithm>

#include <tributary/crdt/type.h>

#include "base/text.h"
#include "cli/parked_text.h"
#include "outbox/batch/batch.h"

namespace tributary::cli {
namespace {

constexpr std::size_t kBytesShown = 4096;
constexpr std::size_t kListed = 50;

std::string cut(std::string_view bytes) {
  std::string out = in_quotes(bytes.substr(0, kBytesShown));
  if (bytes.size() > kBytesShown) {
    out += " and " + std::to_string(bytes.size() - kBytesShown) + " bytes more";
  }
  return out;
}

std::string more(std::size_t count) {
  return count > kListed ? ", and " + std::to_string(count - kListed) + " more" : "";
}

/// Of a version vector, or of lowered seqs.
template <typename Pairs>
std::string pairs(const Pairs& vector) {
  if (vector.begin() == vector.end()) return "nothing";
  std::string out;
  std::size_t listed = 0;
  for (const auto& [actor, seq] : vector) {
    if (listed++ == kListed) break;
    out += (out.empty() ? "" : ", ") + actor.hex() + " up to " + std::to_string(seq.value);
  }
  return out + more(vector.size());
}

std::string edit_text(const crdt::ViewEdit& edit) {
  if (crdt::drops(edit)) return "clear";
  if (const auto* removed = std::get_if<crdt::Remove>(&edit)) return "remove " + cut(removed->name);
  const crdt::ViewEntry entry = *crdt::entry_of(edit);
  std::string out = "put";
  if (!entry.name.empty()) out.append(" ").append(cut(entry.name));
  if (!entry.value.empty()) out.append(" ").append(cut(entry.value));
  return out;
}

/// What an empty key shows when the delta is joined to it; why that cannot be done otherwise.
std::string alone(const Batch& batch, const Delta& delta) {
  const crdt::Type* type = delta.type.known;
  if (type == nullptr) return "(this version does not know the type)";
  const auto touched = type->touched(delta.body, bounds_of(batch));
  if (!touched) return "(" + printable(touched.error().message) + ")";
  const VersionVector nothing;
  crdt::State state;
  state.set_complete();
  crdt::ViewEdits edits;
  type->join(delta.body,
             {.actor = batch.actor,
              .last_seq = delta.last_seq,
              .contexts = batch.contexts,
              .watermark = &nothing},
             state, edits);
  std::string out;
  for (std::size_t i = 0; i < std::min(edits.size(), kListed); ++i) {
    out += (i == 0 ? "" : ", ") + edit_text(edits[i]);
  }
  return edits.empty() ? "nothing is shown" : out + more(edits.size());
}

std::string inside(const Batch& batch) {
  std::string out = "message:     of origin " + in_quotes(batch.origin.value) + ", actor " +
                    batch.actor.hex() + ", changes " + std::to_string(batch.first_seq.value) +
                    " to " + std::to_string(batch.last_seq.value) + ", written by " +
                    time_text(Micros{static_cast<std::int64_t>(batch.hlc.micros())}) + "\n";
  for (std::size_t i = 0; i < std::min(batch.deltas.size(), kListed); ++i) {
    const Delta& delta = batch.deltas[i];
    out += "delta:       key " + in_quotes(delta.key) + ", type " + in_quotes(delta.type.name) +
           ", up to seq " + std::to_string(delta.last_seq.value) +
           "\n  alone:     " + alone(batch, delta) + "\n  bytes:     " + cut(delta.body) + "\n";
  }
  if (batch.deltas.size() > kListed) {
    out += "             and " + std::to_string(batch.deltas.size() - kListed) + " deltas more\n";
  }
  for (std::size_t i = 0; i < std::min(batch.contexts.size(), kListed); ++i) {
    out += "context " + std::to_string(i) + ":   its writer had seen " + pairs(batch.contexts[i]) +
           "\n";
  }
  return out;
}

}  // namespace

std::string details_text(const std::string& region, const ParkedEntry& parked,
                         const KeyBlock& block) {
  std::string out =
      "id:          " + printable(parked.id) + "\nregion:      " + region +
      "\norigin:      " + printable(parked.origin.value) + "\nactor:       " + parked.actor.hex() +
      "\nkey:         " + (parked.key.empty() ? "(the whole message)" : in_quotes(parked.key)) +
      "\nbatch:       changes " + std::to_string(parked.first_seq.value) + " to " +
      std::to_string(parked.last_seq.value) +
      "\nsize:        " + std::to_string(parked.bytes.size()) +
      " bytes\nparked at:   " + time_text(parked.parked_at) +
      "\nreason:      " + printable(parked.reason) + "\n";
  if (!block.mark.empty()) {
    out += "key blocked: " + printable(block.reason) + "\n             " +
           std::to_string(block.bodies) + " changes wait for it" +
           (block.incomplete ? ", more are only in the streams: the key is being rebuilt" : "") +
           "\n             it has seen, of actors that are set aside: " + pairs(block.before) +
           "\n";
  }
  const auto batch = decode_piece(parked.bytes);
  if (batch) return out + inside(*batch);
  return out + "message:     " + printable(batch.error().message) +
         "\nbytes:       " + cut(parked.bytes) + "\n";
}

}  // namespace tributary::cli
