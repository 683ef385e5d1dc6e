#include <cstddef>

#include <tributary/base/bytes.h>

#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/postgres/tables.sql.h"

namespace tributary::postgres {
namespace {

/// `*` and `?` of a keyspace as LIKE over bytes: there a `_` is one byte, as in matches().
std::string like_pattern(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '*') out.push_back('%');
    else if (c == '?') out.push_back('_');
    else if (c == '%' || c == '_' || c == '\\') out.append("\\").push_back(c);
    else out.push_back(c);
  }
  return out;
}

std::string bytea_literal(std::string_view bytes) {
  return "decode('" + hex_of(bytes) + "','hex')";
}

}  // namespace

std::string_view tables_sql() { return embedded::kTablesSql; }

std::string quote(std::string_view text) {
  std::string out = "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back(c);
    out.push_back(c);
  }
  return out + "'";
}

std::string rules_sql(const Schema& schema) {
  constexpr std::string_view kRemember =
      "INSERT INTO public.tributary_keyspace_ever SELECT pattern, type "
      "FROM public.tributary_keyspace ON CONFLICT DO NOTHING;\n";
  std::string sql(kRemember);
  sql += "DELETE FROM public.tributary_keyspace;\n";
  for (std::size_t i = 0; i < schema.keyspaces.size(); ++i) {
    const Keyspace& keyspace = schema.keyspaces[i];
    sql += "INSERT INTO public.tributary_keyspace VALUES (" + std::to_string(i + 1) + "," +
           quote(keyspace.pattern) + "," + bytea_literal(like_pattern(keyspace.pattern)) + "," +
           quote(keyspace.type) + ");\n";
  }
  sql += kRemember;
  const auto limit = [&](std::string_view name, std::size_t value) {
    sql += "INSERT INTO public.tributary_limits VALUES (" + quote(name) + "," +
           std::to_string(value) + ") ON CONFLICT (name) DO UPDATE SET value = excluded.value;\n";
  };
  limit("key_bytes", schema.limits.key_bytes);
  limit("value_bytes", schema.limits.value_bytes);
  limit("transaction_changes", schema.limits.transaction_changes);
  limit("transaction_bytes", schema.limits.transaction_bytes);
  return sql;
}

}  // namespace tributary::postgres
