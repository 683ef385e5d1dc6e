/// Views as read for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/connectors/redis/connection.h>
#include <tributary/crdt/view.h>

namespace tributary::redis {

/// For EVAL. KEYS: view, state, watermark. Answers, all of one moment, the view's Redis type, the
/// view, the state's version and the watermark.
extern const std::string_view kReadScript;

/// By Redis' name of a type; nullopt for types that no view has.
[[nodiscard]] std::optional<crdt::ViewKind> kind_of(std::string_view redis_type);

/// A view of that kind as in KeyReading.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> decode_values(
    const redisReply& reply, crdt::ViewKind kind);

}  // namespace tributary::redis
