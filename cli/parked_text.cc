#include "cli/parked_text.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Bytes of unknown origin as a JSON text.
Json text(const std::string& bytes) { return Json::parse(json_string(bytes)); }

std::string dump(const Json& json) { return json.dump(); }

std::string bytes_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

std::size_t size_of(const ParkedChange& change) {
  return change.key.size() + change.field.size() + change.value.size();
}

}  // namespace

std::string time_text(Micros wall) {
  const std::time_t seconds = wall.count() / 1'000'000;
  std::tm utc{};
  char text[40];
  if (wall < Micros{0} || gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
    return std::to_string(wall.count()) + " us";
  }
  return text;
}

bool in_doubt(std::string_view reason) { return reason.starts_with("in doubt"); }

std::string doubt_advice(const std::string& origin) {
  return "Changes in doubt: the database was restored, and nobody can tell whether these were\n"
         "published before the backup was put back. Compare them (`tributary parked show ID "
         "--origin " +
         origin +
         "`)\nwith what the replicas hold and with your own tables, then, by "
         "transaction or for all:\n"
         "  tributary parked retry --origin " +
         origin +
         " ID… | --in-doubt\n"
         "      publishes them; those that had been published count once more\n"
         "  tributary parked discard --origin " +
         origin +
         " ID… | --in-doubt\n"
         "      drops them; those that had not been published never reach a replica\n";
}

std::string entry_text(const std::string& region, const ParkedEntry& parked) {
  return time_text(parked.parked_at) + "  " + region + "  " + printable(parked.id) + "\n  " +
         printable(parked.reason) + "\n";
}

std::string entry_text(const std::string& region, const std::string& key, const KeyBlock& block) {
  const std::string kept = block.incomplete ? std::to_string(block.bodies) +
                                                  " changes kept, the others are in the streams"
                                            : "no change was set aside yet";
  return std::string(block.incomplete ? "(being rebuilt)       " : "(blocked)             ") +
         region + "  key " + in_quotes(key) + ", " + kept + "\n  " + printable(block.reason) + "\n";
}

std::string entry_text(const std::string& origin, const ParkedChange& change) {
  std::string out = time_text(change.parked_at) + "  " + origin + "  transaction " +
                    std::to_string(change.transaction) + ": " + printable(change.type) + " " +
                    printable(change.operation) + " " + in_quotes(change.key);
  if (!change.field.empty()) out += " field " + in_quotes(change.field.substr(0, 60));
  if (!change.value.empty()) {
    out += " " + in_quotes(change.value.substr(0, 60)) + (change.value.size() > 60 ? "…" : "");
  }
  if (change.amount != 0) out += " " + std::to_string(change.amount);
  return out + "\n  " + printable(change.reason) + "\n";
}

std::string entry_json(const std::string& region, const ParkedEntry& parked) {
  return dump({{"region", region},
               {"id", text(parked.id)},
               {"origin", text(parked.origin.value)},
               {"actor", parked.actor.hex()},
               {"first_seq", parked.first_seq.value},
               {"last_seq", parked.last_seq.value},
               {"key", text(parked.key)},
               {"reason", text(parked.reason)},
               {"bytes", parked.bytes.size()},
               {"parked_at", time_text(parked.parked_at)}});
}

std::string entry_json(const std::string& region, const std::string& key, const KeyBlock& block) {
  return dump({{"region", region},
               {"key", text(key)},
               {"reason", text(block.reason)},
               {"incomplete", block.incomplete},
               {"changes", block.bodies}});
}

std::string entry_json(const std::string& origin, const ParkedChange& change) {
  return dump({{"origin", origin},
               {"id", std::to_string(change.transaction)},
               {"transaction", change.transaction},
               {"position", change.position},
               {"key", text(change.key)},
               {"type", text(change.type)},
               {"operation", text(change.operation)},
               {"field", text(change.field)},
               {"value", text(change.value)},
               {"amount", change.amount},
               {"reason", text(change.reason)},
               {"in_doubt", in_doubt(change.reason)},
               {"bytes", size_of(change)},
               {"written_at", time_text(Micros{static_cast<std::int64_t>(change.hlc.micros())})},
               {"parked_at", time_text(change.parked_at)}});
}

std::string details_text(const std::string& origin, const ParkedChange& change) {
  return "origin:      " + origin + "\ntransaction: " + std::to_string(change.transaction) +
         "\nkey:         " + in_quotes(change.key) + "\ntype:        " + in_quotes(change.type) +
         "\noperation:   " + in_quotes(change.operation) +
         "\nfield:       " + in_quotes(change.field) + "\nvalue:       " + in_quotes(change.value) +
         "\namount:      " + std::to_string(change.amount) +
         "\nsize:        " + bytes_text(size_of(change)) +
         "\nwritten at:  " + time_text(Micros{static_cast<std::int64_t>(change.hlc.micros())}) +
         " (hlc " + std::to_string(change.hlc.value) +
         ")\nparked at:   " + time_text(change.parked_at) +
         "\nreason:      " + printable(change.reason) + "\n";
}

}  // namespace tributary::cli
