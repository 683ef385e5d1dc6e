/// `tributary parked list|show`.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "cli/parked.h"
#include "cli/parked_text.h"

namespace tributary::cli {
namespace {

/// Prints entries as they come, as text or as one JSON list.
class Output {
 public:
  explicit Output(bool json) : json_(json) {}
  template <typename... Entry>
  void entry(const Entry&... entry) {
    if (!json_) std::fputs(entry_text(entry...).c_str(), stdout);
    else std::printf("%s\n  %s", count_ == 0 ? "[" : ",", entry_json(entry...).c_str());
    ++count_;
  }
  void end() const {
    if (json_) std::printf("%s\n", count_ == 0 ? "[]" : "\n]");
    else if (count_ == 0) std::printf("nothing is set aside\n");
    std::fflush(stdout);
  }

 private:
  bool json_;
  std::size_t count_ = 0;
};

/// Where a place's part of the list ended.
struct Shown {
  std::size_t count = 0;
  std::string last;  ///< what --after takes
  bool more = false;
  bool in_order = true;  ///< the list goes on behind `last`
  bool doubt = false;
};

/// As one word for a shell.
std::string shell(const std::string& word) {
  std::string out = "'";
  for (const char c : printable(word)) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void tell_more(const std::string& where, const Shown& shown, std::uint64_t all) {
  std::fflush(stdout);
  const std::string next = shown.in_order
                               ? "go on with --" + where + " --after " + shell(shown.last)
                               : "show more with a larger --limit";
  std::fprintf(stderr, "%s: %zu shown, %llu are set aside in all; %s\n", where.c_str(), shown.count,
               static_cast<unsigned long long>(all), next.c_str());
}

/// Keys of which changes were left out, or have not come yet; the others' were listed themselves.
Result<void> list_blocked(ReplicaStore& store, const std::string& region, std::size_t limit,
                          Output& output, Shown& shown) {
  constexpr std::size_t kPage = 500;
  std::string after;
  while (true) {
    TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kPage));
    for (const auto& [key, block] : page) {
      if (!block.incomplete && block.bodies > 0) continue;
      if (shown.count == limit) {
        shown.more = true;
        shown.in_order = false;
        return {};
      }
      output.entry(region, key, block);
      ++shown.count;
    }
    if (page.empty()) return {};
    after = page.back().first;
  }
}

Result<void> list_region(const config::Region& region, const ParkedOptions& options,
                         Output& output) {
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  Shown shown;
  TRIBUTARY_TRY(each_parked(*store, options.after, [&](const ParkedEntry& parked) {
    if (!options.key.empty() && parked.key != options.key) return true;
    shown.more = shown.count == options.limit;
    if (shown.more) return false;
    output.entry(region.name.value, parked);
    shown.last = parked.id;
    ++shown.count;
    return true;
  }));
  if (!shown.more && options.key.empty()) {
    TRIBUTARY_TRY(list_blocked(*store, region.name.value, options.limit, output, shown));
  }
  if (!shown.more) return {};
  TRIBUTARY_ASSIGN(const std::uint64_t all, store->parked_count());
  tell_more("region " + region.name.value, shown, all);
  return {};
}

Result<void> list_origin(const config::Origin& origin, const ParkedOptions& options,
                         Output& output) {
  std::int64_t after = 0;
  if (!options.after.empty()) {
    TRIBUTARY_ASSIGN(after, transaction_of(options.after));
  }
  TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
  Shown shown;
  TRIBUTARY_TRY(each_parked(*store, after, [&](const ParkedChange& change) {
    if (!options.key.empty() && change.key != options.key) return true;
    if (options.in_doubt && !in_doubt(change.reason)) return true;
    shown.more = shown.count == options.limit;
    if (shown.more) return false;
    output.entry(origin.name.value, change);
    shown.doubt |= in_doubt(change.reason);
    shown.last = std::to_string(change.position);
    ++shown.count;
    return true;
  }));
  std::fflush(stdout);
  if (shown.doubt) std::fputs(("\n" + doubt_advice(origin.name.value)).c_str(), stderr);
  if (!shown.more) return {};
  TRIBUTARY_ASSIGN(const OutboxStatus status, store->status());
  tell_more("origin " + origin.name.value, shown, status.parked);
  return {};
}

Result<int> show_entries(const config::Region& region, const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  TRIBUTARY_ASSIGN(const auto found, find_parked(*store, options.ids));
  for (const ParkedEntry& parked : found) {
    KeyBlock block;
    if (!parked.key.empty()) {
      const KeyLoad load{parked.key, {}};
      TRIBUTARY_ASSIGN(const auto loaded, store->load({&load, 1}));
      block = loaded.front().block;
    }
    std::printf("%s\n", details_text(region.name.value, parked, block).c_str());
  }
  return kOk;
}

Result<int> show_transactions(const config::Origin& origin, const ParkedOptions& options) {
  std::vector<std::int64_t> missing;
  for (const std::string& id : options.ids) {
    TRIBUTARY_ASSIGN(const std::int64_t transaction, transaction_of(id));
    missing.push_back(transaction);
  }
  const std::vector<std::int64_t> wanted = missing;
  bool doubt = false;
  TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
  TRIBUTARY_TRY(each_parked(*store, 0, [&](const ParkedChange& change) {
    if (std::ranges::find(wanted, change.transaction) == wanted.end()) return true;
    std::printf("%s\n", details_text(origin.name.value, change).c_str());
    doubt |= in_doubt(change.reason);
    std::erase(missing, change.transaction);
    return true;
  }));
  if (doubt) std::printf("%s", doubt_advice(origin.name.value).c_str());
  if (missing.empty()) return kOk;
  return fail(ErrorKind::kInvalid, "nothing of transaction " + std::to_string(missing.front()) +
                                       " is set aside at origin " + origin.name.value);
}

}  // namespace

Result<int> list_parked(const config::Topology& topology, const ParkedOptions& options) {
  const bool all = options.region.empty() && options.origin.empty();
  if (all && !options.after.empty()) {
    return fail(ErrorKind::kInvalid, "--after goes with --region NAME or --origin NAME");
  }
  if (!all) TRIBUTARY_TRY(side_of(topology, options));
  Output output(options.json);
  int exit = kOk;
  const auto add = [&](const Result<void>& listed) {
    std::fflush(stdout);
    if (!listed) exit = report(listed.error());
  };
  for (const config::Origin& origin : topology.origins) {
    if (all ? origin.retired : origin.name.value != options.origin) continue;
    add(list_origin(origin, options, output));
  }
  for (const config::Region& region : topology.regions) {
    if (all ? options.in_doubt : region.name.value != options.region) continue;
    add(list_region(region, options, output));
  }
  if (exit == kOk || options.json) output.end();
  return exit;
}

Result<int> show_parked(const config::Topology& topology, const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const Side side, side_of(topology, options));
  return side.region != nullptr ? show_entries(*side.region, options)
                                : show_transactions(*side.origin, options);
}

}  // namespace tributary::cli
