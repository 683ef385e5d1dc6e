#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres::statements {

const Statement kBegin{"begin", "BEGIN"};
const Statement kCommit{"commit", "COMMIT"};
const Statement kRollback{"rollback", "ROLLBACK"};
const Statement kRelaxed{"relaxed", "SET LOCAL synchronous_commit = off"};

const Statement kUntimed{"untimed", "SET LOCAL statement_timeout = 0"};

// Behind a pooler that changes servers under us the lease would be somebody else's.
const Statement kTryLease{"try_lease",
                          "SELECT pg_backend_pid() = $2::bigint AND "
                          "pg_try_advisory_lock(1953653092, $1::bigint::int), "
                          "pg_backend_pid() = $2::bigint"};
const Statement kLeaseHolder{
    "lease_holder",
    "SELECT format('pid %s from %s', a.pid, coalesce(a.client_addr::text, CASE a.client_port WHEN "
    "-1"
    " THEN 'a local socket' ELSE 'an unknown address (not visible to this role)' END)) "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1953653092 "
    "AND l.objid = ($1::bigint::int::bigint & 4294967295)::oid "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"};
const Statement kDropLease{"drop_lease", "SELECT pg_advisory_unlock(1953653092, $1::bigint::int)"};

// Which of the tables $1 a restore has yet to put back: those without a trigger, which a dump makes
// when the table is full; and while any was emptied, those that were not, and those that were and
// are not filled. An empty backup fills no table: what was emptied and filled by one transaction
// tells that it did so with all of them, and so does half a minute without any news.
const Statement kPutBack{
    "put_back",
    "SELECT coalesce((extract(epoch FROM max(p.changed_at)) * 1000000)::bigint, 0), "
    "string_agg(k.name, ', ') FILTER (WHERE t.oid IS NULL OR"
    "  EXISTS (SELECT FROM public.tributary_put_back) AND (p.name IS NULL OR p.filled_by IS NULL"
    "    AND NOT EXISTS (SELECT FROM public.tributary_put_back a WHERE a.filled_by = p.emptied_by)"
    "    AND EXISTS (SELECT FROM public.tributary_put_back a"
    "      WHERE a.changed_at > clock_timestamp() - interval '30 seconds'))) "
    "FROM (SELECT 'tributary_' || n AS name FROM unnest($1::text[]) n) k "
    "LEFT JOIN public.tributary_put_back p ON p.name = k.name "
    "LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass('public.' || k.name)"
    "  AND t.tgname = 'tributary_emptied' AND t.tgenabled <> 'D'"};
const Statement kAllPutBack{"all_put_back",
                            "DELETE FROM public.tributary_put_back"
                            " WHERE (extract(epoch FROM changed_at) * 1000000)::bigint <= $1"};

// A row that some other statement wrote has another xmin than its stamp: it came from a backup.
const Statement kLead{"lead",
                      "UPDATE public.tributary_origin o SET leader_epoch = o.leader_epoch + 1, "
                      "put_back = o.put_back OR"
                      "  (o.actor IS NOT NULL AND o.xmin::text::bigint <> o.stamp % 4294967296), "
                      "stamp = pg_current_xact_id()::text::bigint "
                      "RETURNING name, actor, identity, "
                      "(SELECT system_identifier FROM pg_control_system()) || ':' || "
                      "left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':' || "
                      "(SELECT oid FROM pg_database WHERE datname = current_database()), "
                      "head_seq, hlc, leader_epoch, confirmed_seq, totals_seq, "
                      "(SELECT max(version) FROM public.tributary_schema), "
                      "(SELECT tributary.believed_hlc(c.hlc) FROM public.tributary_context c), "
                      "put_back, counters_swept, history, former_history"};
const Statement kMint{"mint",
                      "UPDATE public.tributary_origin SET actor = $1, identity = $2, head_seq = 0, "
                      "confirmed_seq = 0, totals_seq = 0, history = 0, former_history = $4, "
                      "hlc = greatest("
                      "hlc # (-9223372036854775808), $3::bigint # (-9223372036854775808)) "
                      "# (-9223372036854775808), put_back = false, counters_swept = false, "
                      "stamp = pg_current_xact_id()::text::bigint"};
const Statement kRemember{
    "remember",
    "INSERT INTO public.tributary_actor (actor, final_seq) "
    "SELECT k.actor, max(k.final_seq) FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY "
    "AS k (actor, final_seq, place) GROUP BY k.actor ORDER BY min(k.place) "
    "ON CONFLICT (actor) DO UPDATE SET final_seq = excluded.final_seq"};
const Statement kFormer{"former",
                        "SELECT actor, final_seq FROM public.tributary_actor ORDER BY position"};
// A statement of its own behind kLead, which waits for what another leader is still telling.
const Statement kTold{"told", "SELECT told FROM public.tributary_context"};
const Statement kSchema{
    "schema",
    "SELECT 1::bigint, position, convert_to(pattern, 'UTF8'), convert_to(type, 'UTF8'), 0::bigint "
    "FROM public.tributary_keyspace "
    "UNION ALL SELECT 2, 0, convert_to(name, 'UTF8'), '', value FROM public.tributary_limits "
    "UNION ALL SELECT 3, 0, convert_to(type, 'UTF8'), convert_to(operation, 'UTF8'), 0 "
    "FROM public.tributary_operation ORDER BY 1, 2, 3, 4"};
const Statement kKeyspacesEver{"keyspaces_ever",
                               "SELECT convert_to(pattern, 'UTF8'), convert_to(type, 'UTF8') "
                               "FROM public.tributary_keyspace_ever"};
const Statement kFence{"fence", "SELECT tributary.fence($1, $2, $3)"};

const Statement kIdle{
    "idle",
    "SELECT EXISTS (SELECT FROM public.tributary_outbox ORDER BY id LIMIT 1), "
    "o.leader_epoch = $1 AND o.actor IS NOT DISTINCT FROM $2 AND o.head_seq = $3 "
    "AND o.xmin::text::bigint = o.stamp % 4294967296 "
    "AND NOT EXISTS (SELECT FROM public.tributary_put_back) FROM public.tributary_origin o"};
const Statement kSnapshotHolder{
    "snapshot_holder",
    "SELECT who, xmin::text FROM ("
    "  SELECT age(backend_xmin), backend_xmin AS xmin, CASE WHEN datname IS NULL"
    "    THEN format('pid %s (%s), by the hot_standby_feedback of a standby at %s', pid,"
    "      coalesce(nullif(application_name, ''), usename), coalesce(client_addr::text, '?'))"
    "    ELSE format('pid %s (%s) since %s', pid,"
    "      coalesce(nullif(application_name, ''), usename), xact_start) END AS who"
    "  FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
    "    AND (datname = current_database() OR datname IS NULL)"
    "  UNION ALL SELECT age(xmin), xmin, format('replication slot %s', slot_name)"
    "  FROM pg_replication_slots WHERE xmin IS NOT NULL"
    "  UNION ALL SELECT age(transaction), transaction, format('prepared transaction %s since %s', "
    "gid, prepared)"
    "  FROM pg_prepared_xacts WHERE database = current_database()) h ORDER BY age DESC LIMIT 1"};
const Statement kAnyRow{"any_row", "SELECT 1 FROM public.tributary_outbox ORDER BY id LIMIT 1"};

// The first $1 rows by id, or the first of them that make up $2 bytes, without the transactions
// that reach beyond them: taking only a part of those would tear them, and taking their later rows
// now would let them overtake rows in between. A context counts with the first row that names it.
// The running sum costs a quarter of the whole, so it is left out when all of $1 rows fit $2 bytes.
// `= ANY (ARRAY (…))`, OFFSET 0 and the comparison of pairs leave the planner one index to go by.
// What is NULL in most rows costs next to nothing to send, unlike what is false.
const Statement kTake{
    "take",
    "WITH first AS MATERIALIZED ("
    "  SELECT id, transaction_id, context_id, octet_length(key) + coalesce(octet_length(field), 0)"
    "    + coalesce(octet_length(value), 0) + coalesce(octet_length(context), 0) AS size"
    "  FROM public.tributary_outbox ORDER BY id LIMIT $1), "
    "told AS MATERIALIZED (SELECT c.id, octet_length(t.bytes) AS size FROM ("
    "    SELECT context_id, min(id) AS id FROM first WHERE context_id IS NOT NULL"
    "    GROUP BY context_id) c "
    "  CROSS JOIN LATERAL (SELECT bytes FROM public.tributary_told_context t"
    "    WHERE t.id = c.context_id OFFSET 0) t), "
    "total AS MATERIALIZED (SELECT (SELECT coalesce(sum(size), 0) FROM first)"
    "  + (SELECT coalesce(sum(size), 0) FROM told) AS size), "
    "head AS MATERIALIZED ("
    "  SELECT id, transaction_id FROM first WHERE (SELECT size FROM total) < $2 "
    "  UNION ALL SELECT id, transaction_id FROM (SELECT id, transaction_id, place,"
    "    coalesce(sum(size) OVER (ORDER BY id, place"
    "      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before"
    "    FROM (SELECT id, transaction_id, size, 1 AS place FROM first"
    "      UNION ALL SELECT id, NULL, size, 2 FROM told) s) f"
    "  WHERE place = 1 AND before < $2 AND (SELECT size FROM total) >= $2), "
    "cut AS MATERIALIZED (SELECT max(id) AS id, "
    "  count(*) = $1 OR count(*) < (SELECT count(*) FROM first) AS short FROM head), "
    "taken AS MATERIALIZED ("
    "  SELECT h.transaction_id FROM (SELECT DISTINCT transaction_id FROM head) h, cut"
    "  WHERE NOT cut.short OR NOT EXISTS (SELECT FROM public.tributary_outbox o"
    "    WHERE (o.transaction_id, o.id) > (h.transaction_id, cut.id)"
    "      AND o.transaction_id <= h.transaction_id)) "
    "DELETE FROM public.tributary_outbox o "
    "WHERE o.transaction_id = ANY (ARRAY (SELECT transaction_id FROM taken)) "
    "RETURNING o.id, o.transaction_id, o.key, o.type, o.operation, o.field, o.value, "
    "o.amount, o.context, o.hlc, CASE WHEN o.exact THEN true END, "
    "(SELECT 1::bigint FROM cut WHERE NOT short), o.tag, o.written_id, o.context_id"};

const Statement kLoadTotals{
    "load_totals",
    "SELECT c.key, c.field, c.increments, c.decrements "
    "FROM unnest($1::text[], $2::bytea[]) AS k (key, field) CROSS JOIN LATERAL ("
    "  SELECT * FROM public.tributary_counter t WHERE t.key = k.key AND t.field = k.field OFFSET "
    "0) c "
    "WHERE c.actor = (SELECT actor FROM public.tributary_origin)"};

const Statement kStoreBatch{
    "store_batch",
    "INSERT INTO public.tributary_batch (actor, first_seq, last_seq, bytes) "
    "VALUES ($1, $2, $3, $4)"};

const Statement kStoreTotals{
    "store_totals",
    "INSERT INTO public.tributary_counter (key, field, actor, increments, decrements) "
    "SELECT k.key, k.field, $1, k.increments, k.decrements "
    "FROM unnest($2::text[], $3::bytea[], $4::bigint[], $5::bigint[]) "
    "AS k (key, field, increments, decrements) "
    "ON CONFLICT (key, field) DO UPDATE SET actor = excluded.actor, "
    "increments = excluded.increments, decrements = excluded.decrements"};

// Whatever was taken is still there as it was: the take was rolled back under the fence.
const Statement kParkTaken{
    "park_taken",
    "WITH gone AS (DELETE FROM public.tributary_outbox o "
    "  USING unnest($1::bigint[], $2::text[]) AS k (id, reason) WHERE o.id = k.id"
    "  RETURNING o.*, k.reason) "
    "INSERT INTO public.tributary_parked (id, transaction_id, key, type, operation, field, value, "
    "amount, context, context_id, exact, hlc, tag, reason) "
    "SELECT coalesce(written_id, id), transaction_id, key, type, operation, field, value, amount, "
    "context, context_id, exact, hlc, tag, reason FROM gone ORDER BY id"};
const Statement kDeleteTaken{"delete_taken",
                             "DELETE FROM public.tributary_outbox o "
                             "USING unnest($1::bigint[]) AS k (id) WHERE o.id = k.id"};

// $2 and $4, or $3, are NULL when nothing was sealed. The fence of begin_seal() holds the row's
// lock.
const Statement kAdvance{
    "advance",
    "UPDATE public.tributary_origin SET hlc = $1, head_seq = coalesce($2, head_seq), "
    "totals_seq = coalesce($3, totals_seq), history = coalesce($4, history), "
    "stamp = pg_current_xact_id()::text::bigint"};
const Statement kSaveTotals{"save_totals",
                            "UPDATE public.tributary_origin SET totals_seq = $1, "
                            "stamp = pg_current_xact_id()::text::bigint"};

// One step through the totals, those of other actors than the origin's go.
const Statement kSweep{
    "sweep",
    "WITH step AS MATERIALIZED (SELECT key, field, actor FROM public.tributary_counter "
    "  WHERE (key, field) > ($1::text COLLATE \"C\", $2::bytea) ORDER BY key, field LIMIT 2000), "
    "gone AS (DELETE FROM public.tributary_counter c USING step s "
    "  WHERE c.key = s.key AND c.field = s.field AND c.actor = s.actor"
    "  AND s.actor IS DISTINCT FROM (SELECT actor FROM public.tributary_origin)) "
    "SELECT key, field FROM step ORDER BY key DESC, field DESC LIMIT 1"};
const Statement kSwept{"swept",
                       "UPDATE public.tributary_origin SET counters_swept = true, "
                       "stamp = pg_current_xact_id()::text::bigint"};

// Batches behind $1 that make up $2 rows or $3 bytes.
const Statement kUnconfirmed{
    "unconfirmed",
    "SELECT actor, first_seq, last_seq, bytes, position FROM ("
    "  SELECT *, sum(octet_length(bytes)) OVER (ORDER BY position) AS total,"
    "    row_number() OVER (ORDER BY position) AS number FROM ("
    "    SELECT * FROM public.tributary_batch WHERE confirmed_at IS NULL AND position > $1"
    "    ORDER BY position LIMIT $2) b) c WHERE total <= $3 OR number = 1 ORDER BY position"};
const Statement kRetained{
    "retained",
    "SELECT actor, first_seq, last_seq, bytes, position FROM ("
    "  SELECT *, sum(octet_length(bytes)) OVER (ORDER BY first_seq) AS total,"
    "    row_number() OVER (ORDER BY first_seq) AS number FROM ("
    "    SELECT * FROM public.tributary_batch"
    "    WHERE actor = (SELECT actor FROM public.tributary_origin) AND first_seq > $1"
    "    ORDER BY first_seq LIMIT $2) b) c WHERE total <= $3 OR number = 1 ORDER BY first_seq"};

const Statement kConfirm{
    "confirm",
    "WITH batches AS (UPDATE public.tributary_batch SET confirmed_at = clock_timestamp() "
    "  WHERE confirmed_at IS NULL AND actor = $1 AND last_seq <= $2) "
    "UPDATE public.tributary_origin SET confirmed_seq = greatest(confirmed_seq, $2), "
    "stamp = pg_current_xact_id()::text::bigint WHERE actor = $1"};
// A bounded number of batches, and bytes, past their retention, whose totals are stored.
const Statement kForget{
    "forget",
    "DELETE FROM public.tributary_batch b USING ("
    "  SELECT actor, first_seq FROM ("
    "    SELECT *, sum(octet_length(bytes)) OVER (ORDER BY confirmed_at, position) AS total,"
    "      row_number() OVER (ORDER BY confirmed_at, position) AS number FROM ("
    "      SELECT r.* FROM public.tributary_batch r, public.tributary_origin o"
    "      WHERE r.confirmed_at IS NOT NULL"
    "        AND r.confirmed_at <= clock_timestamp() - $1::bigint * interval '1 microsecond'"
    "        AND (r.actor IS DISTINCT FROM o.actor OR r.last_seq <= o.totals_seq)"
    "      ORDER BY r.confirmed_at LIMIT 256) r) s"
    "  WHERE total <= 268435456 OR number = 1) old "
    "WHERE b.actor = old.actor AND b.first_seq = old.first_seq"};

// Counts no further than OutboxStatus::kMostCounted. How old what waits is, by rows that name a
// time after 2019: one that passed by the trigger may name any.
const Statement kStatus{
    "status",
    "SELECT actor, head_seq, confirmed_seq, "
    "(SELECT count(*) FROM (SELECT FROM public.tributary_outbox LIMIT 100001) w), "
    "(SELECT coalesce(sum(changes), 0)::bigint FROM (SELECT last_seq - first_seq + 1 AS changes "
    "  FROM public.tributary_batch WHERE confirmed_at IS NULL LIMIT 100001) u), "
    "(SELECT count(*) FROM (SELECT FROM public.tributary_parked LIMIT 100001) p), "
    "(SELECT min(f.hlc # (-9223372036854775808)) # (-9223372036854775808) FROM ("
    "  SELECT hlc FROM public.tributary_outbox ORDER BY id LIMIT 100) f "
    " WHERE (f.hlc # (-9223372036854775808)) >= "
    "  ((1577836800000000 << 12) # (-9223372036854775808))), history, former_history "
    "FROM public.tributary_origin"};

}  // namespace tributary::postgres::statements
