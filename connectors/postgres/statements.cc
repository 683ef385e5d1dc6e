#include <tributary/connectors/postgres/statements.h>

namespace tributary::postgres::statements {

const Statement kBegin{"begin", "BEGIN"};
const Statement kCommit{"commit", "COMMIT"};
const Statement kRollback{"rollback", "ROLLBACK"};
const Statement kRelaxed{"relaxed", "SET LOCAL synchronous_commit = off"};

const Statement kTryLease{"try_lease", "SELECT pg_try_advisory_lock(1953653092, $1::bigint::int)"};
const Statement kLeaseHolder{
    "lease_holder",
    "SELECT format('pid %s from %s', a.pid, coalesce(a.client_addr::text, 'a local socket')) "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1953653092 "
    "AND l.objid = ($1::bigint::int::bigint & 4294967295)::oid "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"};
const Statement kDropLease{"drop_lease", "SELECT pg_advisory_unlock(1953653092, $1::bigint::int)"};

const Statement kLead{"lead",
                      "UPDATE public.tributary_origin SET leader_epoch = leader_epoch + 1 "
                      "RETURNING name, actor, identity, "
                      "(SELECT system_identifier FROM pg_control_system()) || ':' || "
                      "left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':' || "
                      "(SELECT oid FROM pg_database WHERE datname = current_database()), "
                      "head_seq, hlc, leader_epoch, confirmed_seq, totals_seq, schema_version"};
const Statement kMint{"mint",
                      "UPDATE public.tributary_origin SET actor = $1, identity = $2, head_seq = 0, "
                      "confirmed_seq = 0, totals_seq = 0"};
const Statement kForgetCounters{"forget_counters", "DELETE FROM public.tributary_counter"};
const Statement kFence{"fence", "SELECT tributary.fence($1)"};

const Statement kAnyRow{"any_row", "SELECT 1 FROM public.tributary_outbox ORDER BY id LIMIT 1"};

// The first $1 rows by id, or the first of them that make up $2 bytes, without the transactions
// that reach beyond them: taking only a part of those would tear them, and taking their later rows
// now would let them overtake rows in between.
// `= ANY (ARRAY (…))` and the comparison of pairs leave the planner one index to go by each.
const Statement kTake{
    "take",
    "WITH first AS MATERIALIZED ("
    "  SELECT id, transaction_id, octet_length(value) AS size"
    "  FROM public.tributary_outbox ORDER BY id LIMIT $1), "
    "head AS MATERIALIZED ("
    "  SELECT id, transaction_id FROM (SELECT id, transaction_id,"
    "    coalesce(sum(size) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),"
    "             0) AS before FROM first) f WHERE before < $2), "
    "cut AS MATERIALIZED (SELECT max(id) AS id, "
    "  count(*) = $1 OR count(*) < (SELECT count(*) FROM first) AS short FROM head), "
    "taken AS MATERIALIZED ("
    "  SELECT h.transaction_id FROM (SELECT DISTINCT transaction_id FROM head) h, cut"
    "  WHERE NOT cut.short OR NOT EXISTS (SELECT FROM public.tributary_outbox o"
    "    WHERE (o.transaction_id, o.id) > (h.transaction_id, cut.id)"
    "      AND o.transaction_id <= h.transaction_id)) "
    "DELETE FROM public.tributary_outbox o "
    "WHERE o.transaction_id = ANY (ARRAY (SELECT transaction_id FROM taken)) "
    "RETURNING o.id, o.transaction_id, o.key, o.type, o.operation, o.field, o.value, o.amount, "
    "o.context, o.hlc, (SELECT short::int::bigint FROM cut)"};

// The row that a run of ids begins with must be the very one that was published.
const Statement kDiscard{
    "discard",
    "DELETE FROM public.tributary_outbox o "
    "USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) "
    "AS k (transaction_id, first_id, last_id, hlc) "
    "WHERE o.id BETWEEN k.first_id AND k.last_id AND o.transaction_id = k.transaction_id "
    "AND EXISTS (SELECT FROM public.tributary_outbox f WHERE f.id = k.first_id "
    "  AND f.transaction_id = k.transaction_id AND f.hlc = k.hlc)"};

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

const Statement kPark{
    "park",
    "INSERT INTO public.tributary_parked (id, transaction_id, key, type, operation, field, value, "
    "amount, context, hlc, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};

// $2 and $3 are NULL when nothing was sealed. The fence of begin_seal() holds the row's lock.
const Statement kAdvance{
    "advance",
    "UPDATE public.tributary_origin SET hlc = $1, head_seq = coalesce($2, head_seq), "
    "totals_seq = coalesce($3, totals_seq)"};

const Statement kUnconfirmed{"unconfirmed",
                             "SELECT actor, first_seq, last_seq, bytes FROM public.tributary_batch "
                             "WHERE confirmed_at IS NULL ORDER BY position"};
const Statement kRetained{
    "retained",
    "SELECT actor, first_seq, last_seq, bytes FROM public.tributary_batch "
    "WHERE actor = (SELECT actor FROM public.tributary_origin) AND first_seq > $1 "
    "ORDER BY first_seq LIMIT $2"};

const Statement kConfirm{
    "confirm",
    "WITH batches AS (UPDATE public.tributary_batch SET confirmed_at = clock_timestamp() "
    "  WHERE confirmed_at IS NULL AND actor = $1 AND last_seq <= $2) "
    "UPDATE public.tributary_origin SET confirmed_seq = greatest(confirmed_seq, $2) "
    "WHERE actor = $1"};
// A bounded number of batches past their retention, whose totals are stored.
const Statement kForget{
    "forget",
    "DELETE FROM public.tributary_batch b USING ("
    "  SELECT r.actor, r.first_seq FROM public.tributary_batch r, public.tributary_origin o"
    "  WHERE r.confirmed_at IS NOT NULL"
    "    AND r.confirmed_at <= clock_timestamp() - $1::bigint * interval '1 microsecond'"
    "    AND (r.actor IS DISTINCT FROM o.actor OR r.last_seq <= o.totals_seq)"
    "  ORDER BY r.confirmed_at LIMIT 256) old "
    "WHERE b.actor = old.actor AND b.first_seq = old.first_seq"};

const Statement kSetContext{"set_context",
                            "UPDATE public.tributary_context SET watermark = $1, hlc = $2 "
                            "WHERE watermark <> $1 OR hlc <> $2"};

const Statement kStatus{
    "status",
    "SELECT actor, head_seq, confirmed_seq, (SELECT count(*) FROM public.tributary_outbox), "
    "(SELECT coalesce(sum(last_seq - first_seq + 1), 0)::bigint FROM public.tributary_batch "
    " WHERE confirmed_at IS NULL), "
    "(SELECT count(*) FROM public.tributary_parked), "
    "(SELECT hlc FROM public.tributary_outbox ORDER BY id LIMIT 1) "
    "FROM public.tributary_origin"};

}  // namespace tributary::postgres::statements
