#include "connectors/replica/redis/reading.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "connectors/replica/redis/compare_views.lua.h"
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/permissions.h"
#include "connectors/replica/redis/progress.h"
#include "connectors/replica/redis/read_head.lua.h"
#include "connectors/replica/redis/view_pages.h"

namespace tributary::redis {
namespace {

using crdt::ViewKind;

constexpr std::size_t kKeysAtOnce = 1000;
constexpr int kReadAttempts = 20;

/// By Redis' name of a type; nullopt for types that no view has.
std::optional<ViewKind> kind_of(std::string_view redis_type) {
  for (const ViewKind kind : {ViewKind::kString, ViewKind::kSet, ViewKind::kHash,
                              ViewKind::kSortedSet, ViewKind::kList}) {
    if (crdt::to_string(kind) == redis_type) return kind;
  }
  return std::nullopt;
}

/// Why the view cannot be trusted, told from the state's version, whether there is a state, and
/// what was found; empty: it can.
std::string problem_of(const redisReply& version, bool state, std::string_view found,
                       std::uint64_t members) {
  if (!state) return found == "none" ? "" : "another program's view: the key has no state here";
  const auto parsed = parse_version(is_error(version) ? std::string_view{} : text(version));
  if (!parsed) return "damaged: what stands in the place of its state is none";
  const crdt::Type* type = crdt::find_type(parsed->type);
  const bool foreign = type != nullptr && found != "none" && kind_of(found) != type->view;
  if (foreign) return "another program replaced its view by a Redis " + std::string(found);
  const bool other_size = parsed->members && *parsed->members != members;
  return other_size ? "another program changed or dropped its view" : "";
}

std::optional<ChangedView> compare(std::string_view key, ViewKind kind, const redisReply& answer) {
  const std::string_view found = text(at(answer, 0));
  const auto members = static_cast<std::uint64_t>(integer(at(answer, 1)));
  const bool there = found != "none";
  const bool state = integer(at(answer, 3)) != 0;
  ChangedView changed{std::string(key), std::string(found), there && found != crdt::to_string(kind),
                      there && !state};
  if (changed.foreign || changed.stateless) return changed;
  const redisReply& version = at(answer, 2);
  const auto parsed = parse_version(is_error(version) ? std::string_view{} : text(version));
  const bool other_size = parsed && parsed->members && *parsed->members != members;
  return other_size ? std::optional(std::move(changed)) : std::nullopt;
}

using AskedViews = std::span<const std::pair<std::string_view, ViewKind>>;

Result<void> compare_all(Connection& connection, AskedViews views,
                         std::vector<ChangedView>& changed) {
  Arguments arguments;
  arguments.add_number(2 * views.size());
  for (const auto& [key, kind] : views) {
    arguments.add(state_key(key).whole());
    arguments.add(key);
  }
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", embedded::kCompareViewsLua}, arguments));
  for (std::size_t i = 0; i < views.size(); ++i) {
    auto each = compare(views[i].first, views[i].second, at(*reply, i));
    if (each) changed.push_back(std::move(*each));
  }
  return {};
}

/// Of views that were refused with `error`.
Result<void> compare_permitted(Connection& connection, AskedViews views, Error error,
                               std::vector<ChangedView>& changed) {
  std::vector<std::string_view> keys;
  for (const auto& [key, kind] : views) keys.push_back(key);
  TRIBUTARY_ASSIGN(const auto refused, refused_keys(connection, keys));
  if (refused.empty()) return fail(std::move(error));
  std::vector<std::pair<std::string_view, ViewKind>> permitted;
  auto next = refused.begin();
  for (const auto& view : views) {
    if (next == refused.end() || view.first != *next) {
      permitted.push_back(view);
      continue;
    }
    changed.push_back({.key = std::string(*next++), .found = {}, .refused = true});
  }
  return permitted.empty() ? Result<void>() : compare_all(connection, permitted, changed);
}

Result<Reply> read_head(Connection& connection, std::string_view key) {
  const std::string state = state_key(key).whole();
  return connection.call(
      {"EVAL", embedded::kReadHeadLua, "4", key, state, kWatermark.name, kBlocked.name});
}

/// Whether nothing was committed to the key between the two heads. The watermark may have moved:
/// that of the first holds for the key at both.
bool same_moment(const redisReply& before, const redisReply& after) {
  return text(at(before, 0)) == text(at(after, 0)) &&
         integer(at(before, 1)) == integer(at(after, 1)) &&
         text(at(before, 3)) == text(at(after, 3)) && text(at(before, 5)) == text(at(after, 5)) &&
         integer(at(before, 6)) == integer(at(after, 6));
}

Result<KeyReading> read_once(Connection& connection, std::string_view key, const redisReply& head) {
  KeyReading reading;
  const redisReply& version = at(head, 3);
  const auto parsed = parse_version(is_error(version) ? std::string_view{} : text(version));
  if (parsed) reading.type = parsed->type;
  const std::string_view found = text(at(head, 0));
  const auto members = static_cast<std::uint64_t>(integer(at(head, 1)));
  reading.problem = problem_of(version, integer(at(head, 6)) != 0, found, members);
  reading.context = decode_watermark(at(head, 4));
  if (const std::string_view bytes = text(at(head, 5)); !bytes.empty()) {
    const KeyBlock block = decode_block(bytes);
    reading.problem = "blocked: " + block.reason;
    reading.context = lower(std::move(reading.context), block.before);
  }
  const crdt::Type* type = crdt::find_type(reading.type);
  if (type != nullptr) reading.view = type->view;
  if (found == "none") return reading;
  const auto kind = kind_of(found);
  if (!kind) {
    return fail(ErrorKind::kInvalid, "key \"" + std::string(key) + "\" holds a Redis " +
                                         std::string(found) + ", which Tributary never writes");
  }
  reading.view = *kind;
  reading.exists = true;
  auto pages = read_pages(connection, key, *kind, std::numeric_limits<std::size_t>::max());
  // Another type by now: the head that is read next tells.
  if (!pages && pages.error().message.find("WRONGTYPE") != std::string::npos) return reading;
  TRIBUTARY_ASSIGN(auto values, std::move(pages));
  reading.values = std::move(*values);
  return reading;
}

}  // namespace

Result<KeyReading> read_key(Connection& connection, std::string_view key) {
  TRIBUTARY_ASSIGN(Reply head, read_head(connection, key));
  for (int attempt = 1;; ++attempt) {
    TRIBUTARY_ASSIGN(KeyReading reading, read_once(connection, key, *head));
    TRIBUTARY_ASSIGN(Reply now, read_head(connection, key));
    if (same_moment(*head, *now)) return reading;
    if (attempt == kReadAttempts) {
      reading.problem = "it changed all the while it was read: its parts are of different moments";
      return reading;
    }
    head = std::move(now);
  }
}

Result<ReplicaStore::ViewContent> read_view(Connection& connection, std::string_view key,
                                            std::size_t members) {
  auto answer = connection.call({"EVAL", embedded::kReadHeadLua, "1", key});
  if (!answer && denied(answer.error())) {
    TRIBUTARY_ASSIGN(const auto refused, refused_keys(connection, {&key, 1}));
    if (!refused.empty()) {
      return fail(ErrorKind::kPoison, connection.where() + "the user may not touch the key");
    }
  }
  TRIBUTARY_ASSIGN(const Reply head, std::move(answer));
  ReplicaStore::ViewContent content;
  content.found = text(at(*head, 0));
  content.size = static_cast<std::size_t>(integer(at(*head, 1)));
  content.whole = content.found == "none";
  const auto kind = kind_of(content.found);
  const auto bytes = static_cast<std::size_t>(integer(at(*head, 2)));
  if (!kind || content.size > members || bytes > ReplicaStore::kMostViewBytes) return content;
  auto pages = read_pages(connection, key, *kind, ReplicaStore::kMostViewBytes);
  // Another program has put another type there in between.
  if (!pages && pages.error().message.find("WRONGTYPE") != std::string::npos) return content;
  TRIBUTARY_ASSIGN(auto values, std::move(pages));
  content.whole = values.has_value();
  if (values) content.values = std::move(*values);
  return content;
}

Result<std::vector<ChangedView>> find_changed_views(Connection& connection, AskedViews views) {
  std::vector<ChangedView> changed;
  while (!views.empty()) {
    const auto some = views.first(std::min(views.size(), kKeysAtOnce));
    auto compared = compare_all(connection, some, changed);
    if (!compared && denied(compared.error())) {
      compared = compare_permitted(connection, some, std::move(compared).error(), changed);
    }
    TRIBUTARY_TRY(std::move(compared));
    views = views.subspan(some.size());
  }
  return changed;
}

}  // namespace tributary::redis
