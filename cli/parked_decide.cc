/// `tributary parked retry|discard`.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/parked.h"
#include "cli/parked_text.h"
#include "consumer/retry.h"

namespace tributary::cli {
namespace {

constexpr std::size_t kTold = 20;

unsigned long long number(std::uint64_t value) { return value; }

/// Says what would be done, when --yes is not given.
Result<int> ask(const std::string& consequence) {
  std::fflush(stdout);
  std::fprintf(stderr, "tributary: nothing was discarded yet. %s Say --yes if that is meant\n",
               consequence.c_str());
  return kUsage;
}

Result<std::set<std::string>> keys_of(ReplicaStore& store, const ParkedOptions& options) {
  std::set<std::string> keys;
  if (!options.key.empty()) keys.insert(options.key);
  TRIBUTARY_ASSIGN(const auto entries, find_parked(store, options.ids));
  for (const ParkedEntry& entry : entries) {
    if (entry.key.empty()) {
      return fail(ErrorKind::kInvalid, printable(entry.id) +
                                           " is a whole message: it cannot be "
                                           "retried, only discarded");
    }
    keys.insert(entry.key);
  }
  return keys;
}

Result<int> retry_in_region(const config::Region& region, const Schema& schema,
                            const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  TRIBUTARY_ASSIGN(const auto keys, keys_of(*store, options));
  RetryReport retried;
  for (const std::string& key : keys) {
    TRIBUTARY_ASSIGN(const RetryResult one, retry_key(*store, schema, key));
    retried.applied += one.applied;
    if (!one.reason.empty()) retried.told.push_back(one);
  }
  retried.blocked = retried.told.size();
  if (keys.empty()) {
    TRIBUTARY_ASSIGN(retried, retry_all(*store, schema));
  }
  TRIBUTARY_ASSIGN(const std::uint64_t left, store->parked_count());
  std::printf("%llu applied, %llu still set aside in region %s\n", number(retried.applied),
              number(left), region.name.value.c_str());
  for (const RetryResult& key : retried.told) {
    std::printf("key %s is still blocked\n  %s\n", in_quotes(key.key).c_str(),
                printable(key.reason).c_str());
  }
  if (retried.blocked > retried.told.size()) {
    std::printf("and %llu keys more\n", number(retried.blocked - retried.told.size()));
  }
  const bool done = keys.empty() ? left == 0 : retried.blocked == 0;
  return done ? kOk : kFailed;
}

Result<int> discard_in_region(const config::Region& region, const ParkedOptions& options) {
  if (options.ids.empty() && options.key.empty()) {
    return fail(ErrorKind::kInvalid, "say which: ids that `tributary parked list` shows, or --key");
  }
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  TRIBUTARY_ASSIGN(const auto entries, find_parked(*store, options.ids));
  if (!options.yes) {
    for (std::size_t i = 0; i < std::min(entries.size(), kTold); ++i) {
      std::printf("%s", entry_text(region.name.value, entries[i]).c_str());
    }
    return ask("Region " + region.name.value + " would miss " +
               (options.key.empty()
                    ? "the " + std::to_string(entries.size()) + " changes told above"
                    : "all changes set aside for key " + in_quotes(options.key)) +
               " for good and differ from the other regions.");
  }
  std::uint64_t discarded = 0;
  if (!options.key.empty()) {
    TRIBUTARY_ASSIGN(discarded, discard_key(*store, options.key));
  }
  std::vector<std::string> ids;
  for (const ParkedEntry& entry : entries) {
    if (options.key.empty() || entry.key != options.key) ids.push_back(entry.id);
  }
  if (!ids.empty()) {
    TRIBUTARY_ASSIGN(const std::uint64_t more, tributary::discard_parked(*store, ids));
    discarded += more;
  }
  std::printf("%llu discarded in region %s\n", number(discarded), region.name.value.c_str());
  return kOk;
}

/// Whether a row is meant, when no ids are given.
bool meant(const ParkedChange& change, const ParkedOptions& options) {
  return in_doubt(change.reason) == options.in_doubt &&
         (options.key.empty() || change.key == options.key);
}

Result<std::set<std::int64_t>> transactions_of(const ParkedOptions& options) {
  if (!options.ids.empty() && (!options.key.empty() || options.in_doubt)) {
    return fail(ErrorKind::kInvalid, "give transactions, or --key and --in-doubt, not both");
  }
  std::set<std::int64_t> transactions;
  for (const std::string& id : options.ids) {
    TRIBUTARY_ASSIGN(const std::int64_t transaction, transaction_of(id));
    transactions.insert(transaction);
  }
  return transactions;
}

/// Calls `decide` once for each transaction that the options mean. What the running relay sets
/// aside anew meanwhile is left alone.
Result<void> each_transaction(OutboxStore& store, const ParkedOptions& options,
                              const std::function<Result<void>(std::int64_t)>& decide) {
  TRIBUTARY_ASSIGN(const auto wanted, transactions_of(options));
  for (const std::int64_t transaction : wanted) TRIBUTARY_TRY(decide(transaction));
  if (!wanted.empty()) return {};
  constexpr std::size_t kPage = 200;
  TRIBUTARY_ASSIGN(const OutboxStatus status, store.status());
  std::int64_t after = 0;
  for (std::uint64_t seen = 0; seen < status.parked;) {
    TRIBUTARY_ASSIGN(const auto page, store.parked(after, kPage));
    if (page.empty()) return {};
    std::set<std::int64_t> decided;
    for (const ParkedChange& change : page) {
      if (++seen > status.parked) return {};
      if (!meant(change, options) || !decided.insert(change.transaction).second) continue;
      TRIBUTARY_TRY(decide(change.transaction));
    }
    after = page.back().position;
  }
  return {};
}

Result<std::uint64_t> count_in_doubt(OutboxStore& store) {
  std::uint64_t count = 0;
  TRIBUTARY_TRY(each_parked(store, 0, [&](const ParkedChange& change) {
    count += in_doubt(change.reason) ? 1 : 0;
    return true;
  }));
  return count;
}

Result<int> retry_at_origin(const config::Origin& origin, const ParkedOptions& options) {
  const std::string& name = origin.name.value;
  TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
  std::uint64_t rows = 0;
  std::uint64_t transactions = 0;
  const auto done =
      each_transaction(*store, options, [&](std::int64_t transaction) -> Result<void> {
        TRIBUTARY_ASSIGN(const std::uint64_t put_back, store->retry_parked(transaction));
        rows += put_back;
        ++transactions;
        return {};
      });
  std::printf(
      "%llu changes of %llu transactions are in the outbox of origin %s again; what still "
      "cannot be published will be set aside again\n",
      number(rows), number(transactions), name.c_str());
  TRIBUTARY_TRY(done);
  if (options.in_doubt || !options.ids.empty()) return kOk;
  TRIBUTARY_ASSIGN(const std::uint64_t left, count_in_doubt(*store));
  if (left == 0) return kOk;
  std::printf("%llu changes in doubt were left alone\n%s", number(left),
              doubt_advice(name).c_str());
  return kFailed;
}

/// What is lost by discarding, shown.
Result<std::uint64_t> preview(OutboxStore& store, const std::string& name,
                              const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const auto wanted, transactions_of(options));
  std::uint64_t count = 0;
  TRIBUTARY_TRY(each_parked(store, 0, [&](const ParkedChange& change) {
    const bool gone = wanted.empty() ? meant(change, options) : wanted.contains(change.transaction);
    if (gone && ++count <= kTold) std::printf("%s", entry_text(name, change).c_str());
    return true;
  }));
  if (count > kTold) std::printf("and %llu more\n", number(count - kTold));
  return count;
}

Result<int> discard_at_origin(const config::Origin& origin, const ParkedOptions& options) {
  const std::string& name = origin.name.value;
  if (options.ids.empty() && !options.in_doubt && options.key.empty()) {
    return fail(ErrorKind::kInvalid,
                "say which: transactions that `tributary parked list --origin " + name +
                    "` shows, --key, or --in-doubt");
  }
  TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
  if (!options.yes) {
    TRIBUTARY_ASSIGN(const std::uint64_t count, preview(*store, name, options));
    if (count == 0) return fail(ErrorKind::kInvalid, "nothing of this is set aside at " + name);
    return ask("These " + std::to_string(count) +
               " changes, with all others of their transactions, "
               "would never be published: no region would get them" +
               (options.in_doubt ? ", unless they had been published before the restore." : "."));
  }
  std::uint64_t rows = 0;
  const auto done =
      each_transaction(*store, options, [&](std::int64_t transaction) -> Result<void> {
        TRIBUTARY_ASSIGN(const std::uint64_t gone, store->discard_parked(transaction));
        rows += gone;
        return {};
      });
  std::printf("%llu changes discarded at origin %s\n", number(rows), name.c_str());
  TRIBUTARY_TRY(done);
  return kOk;
}

}  // namespace

Result<int> retry_parked(const config::Topology& topology, const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const Side side, side_of(topology, options));
  return side.region != nullptr ? retry_in_region(*side.region, topology.schema, options)
                                : retry_at_origin(*side.origin, options);
}

Result<int> discard_parked(const config::Topology& topology, const ParkedOptions& options) {
  TRIBUTARY_ASSIGN(const Side side, side_of(topology, options));
  return side.region != nullptr ? discard_in_region(*side.region, options)
                                : discard_at_origin(*side.origin, options);
}

}  // namespace tributary::cli
