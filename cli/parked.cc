#include "cli/parked.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace tributary::cli {
namespace {

// Bodies of a page are in memory at once: at a replica up to 8 MiB each, at an origin a value.
constexpr std::size_t kReplicaPage = 16;
constexpr std::size_t kOutboxPage = 200;

bool is_transaction(const std::string& id) { return transaction_of(id).has_value(); }

/// All ids of a replica with the same beginning as `id` up to its key or offset sort behind this.
std::string before_id(const std::string& id) {
  std::size_t end = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t slash = id.find('/', end);
    if (slash == std::string::npos) break;
    end = slash + 1;
  }
  return id.substr(0, end);
}

Result<ParkedEntry> find_one(ReplicaStore& store, const std::string& id) {
  const std::string prefix = before_id(id);
  std::optional<ParkedEntry> found;
  TRIBUTARY_TRY(each_parked(store, prefix, [&](const ParkedEntry& each) {
    if (!each.id.starts_with(prefix)) return false;
    if (each.id == id || printable(each.id) == id) found = each;
    return !found;
  }));
  if (found) return std::move(*found);
  return fail(ErrorKind::kInvalid, "nothing is set aside under the id " + in_quotes(id) +
                                       "; `tributary parked list` shows the ids there are");
}

}  // namespace

Result<Side> side_of(const config::Topology& topology, const ParkedOptions& options) {
  Side side;
  if (!options.region.empty() && options.in_doubt) {
    return fail(ErrorKind::kInvalid,
                "--in-doubt goes with --origin: only rows of a restored "
                "database are ever in doubt");
  }
  const bool numbers = !options.ids.empty() && std::ranges::all_of(options.ids, is_transaction);
  if (!options.origin.empty() || (options.region.empty() && numbers) || options.in_doubt) {
    TRIBUTARY_ASSIGN(side.origin, find_origin(topology, options.origin));
    if (side.origin->retired) {
      return fail(ErrorKind::kInvalid,
                  "origin " + side.origin->name.value + " is retired: its database is not asked");
    }
    return side;
  }
  if (options.region.empty() && options.ids.empty() && options.key.empty()) {
    return fail(ErrorKind::kInvalid,
                "say where: --region NAME, for what a consumer has set aside, or --origin NAME, "
                "for what a relay has");
  }
  TRIBUTARY_ASSIGN(side.region, find_region(topology, options.region));
  return side;
}

Result<void> each_parked(ReplicaStore& store, std::string after,
                         const std::function<bool(const ParkedEntry&)>& take) {
  while (true) {
    TRIBUTARY_ASSIGN(const std::vector<ParkedEntry> page, store.parked(after, kReplicaPage));
    for (const ParkedEntry& parked : page) {
      if (!take(parked)) return {};
    }
    if (page.empty()) return {};
    after = page.back().id;
  }
}

Result<void> each_parked(OutboxStore& store, std::int64_t after,
                         const std::function<bool(const ParkedChange&)>& take) {
  while (true) {
    TRIBUTARY_ASSIGN(const std::vector<ParkedChange> page, store.parked(after, kOutboxPage));
    for (const ParkedChange& change : page) {
      if (!take(change)) return {};
    }
    if (page.empty()) return {};
    after = page.back().position;
  }
}

Result<std::vector<ParkedEntry>> find_parked(ReplicaStore& store,
                                             const std::vector<std::string>& ids) {
  std::vector<ParkedEntry> found;
  for (const std::string& id : ids) {
    TRIBUTARY_ASSIGN(ParkedEntry each, find_one(store, id));
    found.push_back(std::move(each));
  }
  return found;
}

Result<std::int64_t> transaction_of(const std::string& id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size()) return number;
  return fail(ErrorKind::kInvalid, in_quotes(id) +
                                       " is no transaction's number; `tributary parked "
                                       "list --origin NAME` shows those there are");
}

}  // namespace tributary::cli
