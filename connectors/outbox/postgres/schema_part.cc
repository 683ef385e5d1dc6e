#include "connectors/outbox/postgres/schema_part.h"

#include <libpq-fe.h>

#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {
namespace {

constexpr std::string_view kTableObjects = R"sql(
  SELECT format('%s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                a.attnotnull) AS x
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'tributary\_%'
    AND c.relkind IN ('r', 'S') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT pg_get_indexdef(c.oid) FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'tributary\_%'
    AND c.relkind = 'i'
  UNION ALL SELECT name FROM public.tributary_origin
  UNION ALL SELECT only_row::text FROM public.tributary_context
)sql";

constexpr std::string_view kRuleObjects = R"sql(
  SELECT format('%s(%s) %s %s', p.proname, pg_get_function_identity_arguments(p.oid),
                md5(p.prosrc), p.proconfig) AS x
  FROM pg_proc p WHERE p.pronamespace = to_regnamespace('tributary')
  UNION ALL SELECT 'keyspace ' || k::text FROM public.tributary_keyspace k
  UNION ALL SELECT 'limit ' || l::text FROM public.tributary_limits l
  UNION ALL SELECT 'operation ' || o::text FROM public.tributary_operation o
)sql";

constexpr std::string_view kTriggerObjects = R"sql(
  SELECT pg_get_triggerdef(t.oid) || t.tgenabled::text AS x FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'tributary\_%'
    AND t.tgname LIKE 'tributary\_%'
)sql";

std::string digest(const SchemaPart& part) {
  return "(SELECT md5(string_agg(x, E'\\n' ORDER BY x COLLATE \"C\")) FROM (" + part.objects +
         ") o)";
}

bool is_true(const ResultHandle& result) {
  return PQntuples(result.get()) > 0 && std::string_view(PQgetvalue(result.get(), 0, 0)) == "t";
}

}  // namespace

std::vector<SchemaPart> schema_parts(const OriginName& origin, const Schema& schema) {
  std::string tables(tables_sql());
  tables += "INSERT INTO public.tributary_origin (name) VALUES (" + quote(origin.value) +
            ") ON CONFLICT DO NOTHING;\n";
  std::string rules = writing_sql();
  rules += checking_sql();
  rules += put_back_sql();
  rules += fence_sql();
  rules += operations_sql();
  rules += rules_sql(schema);
  return {{"tables", std::move(tables), std::string(kTableObjects)},
          {"rules", std::move(rules), std::string(kRuleObjects)},
          {"trigger", std::string(trigger_sql()) + put_back_triggers_sql(),
           std::string(kTriggerObjects)}};
}

Result<bool> up_to_date(PGconn* connection, const SchemaPart& part) {
  TRIBUTARY_ASSIGN(const ResultHandle there,
                   run(connection,
                       "SELECT count(to_regclass('public.tributary_' || name)) = "
                       "count(*) FROM unnest(ARRAY['schema','origin','context',"
                       "'keyspace','limits','operation','outbox','put_back']) name"));
  if (!is_true(there)) return false;
  TRIBUTARY_ASSIGN(
      const ResultHandle same,
      run(connection, "SELECT script = md5(" + quote(part.script) +
                          ") AND objects = " + digest(part) +
                          " FROM public.tributary_schema WHERE part = " + quote(part.name)));
  return is_true(same);
}

Result<void> run_part(PGconn* connection, const SchemaPart& part) {
  TRIBUTARY_ASSIGN(const ResultHandle present,
                   run(connection, "SELECT to_regclass('public.tributary_origin') IS NOT NULL"));
  if (is_true(present) && part.name != "rules") {
    TRIBUTARY_TRY(run(connection, "SELECT FROM public.tributary_origin FOR NO KEY UPDATE"));
  }
  TRIBUTARY_TRY(run(connection, part.script));
  TRIBUTARY_TRY(run(connection,
                    "INSERT INTO public.tributary_schema (part, version, script, "
                    "objects) VALUES (" +
                        quote(part.name) + ", " + std::to_string(kSchemaVersion) + ", md5(" +
                        quote(part.script) + "), coalesce(" + digest(part) +
                        ", '')) ON CONFLICT (part) DO UPDATE SET version = "
                        "excluded.version, script = excluded.script, objects = "
                        "excluded.objects"));
  return {};
}

std::string lock_holders(PGconn* connection) {
  const auto rows =
      run(connection,
          "SELECT format('pid %s (%s, transaction since %s): %s', a.pid, "
          "coalesce(nullif(a.application_name, ''), a.usename), a.xact_start, "
          "coalesce(left(a.query, 60), 'unknown')) FROM pg_stat_activity a WHERE a.pid IN ("
          "  SELECT l.pid FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation"
          "  WHERE l.granted AND l.pid <> pg_backend_pid()"
          "    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
          "    AND (c.relname LIKE 'tributary\\_%' OR"
          "         (l.locktype = 'advisory' AND l.classid = 1953653092 AND l.objid = 0))) "
          "ORDER BY a.xact_start LIMIT 5");
  std::string holders;
  for (int row = 0; rows && row < PQntuples(rows->get()); ++row) {
    holders.append(holders.empty() ? ", since the outbox is in use: " : "; ");
    holders.append(one_line(PQgetvalue(rows->get(), row, 0)));
  }
  return holders;
}

}  // namespace tributary::postgres
