#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres::statements {

const Statement kWaiting{
    "waiting",
    "SELECT id, key, type FROM public.tributary_outbox WHERE id > $1 ORDER BY id LIMIT $2"};
const Statement kNewest{"newest", "SELECT coalesce(max(id), 0) FROM public.tributary_outbox"};
// Whole transactions.
const Statement kSetAside{
    "set_aside",
    "WITH gone AS (DELETE FROM public.tributary_outbox o "
    "  WHERE o.transaction_id = ANY (ARRAY ("
    "    SELECT DISTINCT f.transaction_id FROM (SELECT transaction_id FROM public.tributary_outbox"
    "      WHERE id <= $1 ORDER BY id LIMIT 10000) f)) RETURNING o.*) "
    "INSERT INTO public.tributary_parked (id, transaction_id, key, type, operation, field, value, "
    "amount, context, context_id, exact, hlc, tag, reason) "
    "SELECT coalesce(written_id, id), transaction_id, key, type, operation, field, value, amount, "
    "context, context_id, exact, hlc, tag, $2::text FROM gone ORDER BY id"};
// Answers how far it came, and how many it marked.
const Statement kMarkParked{
    "mark_parked",
    "WITH step AS MATERIALIZED (SELECT position FROM public.tributary_parked WHERE position > $2 "
    "  ORDER BY position LIMIT 10000), "
    "marked AS (UPDATE public.tributary_parked p"
    "  SET reason = $1::text || '; parked before: ' || p.reason FROM step s "
    "  WHERE p.position = s.position AND NOT starts_with(p.reason, $1::text) RETURNING 1) "
    "SELECT max(position), (SELECT count(*) FROM marked) FROM step"};
const Statement kParked{
    "parked",
    "SELECT position, transaction_id, key, type, operation, field, value, "
    "CASE WHEN amount BETWEEN -9223372036854775808 AND 9223372036854775807"
    "  AND amount = trunc(amount) THEN amount::bigint "
    "END, "
    "hlc, "
    "reason, (extract(epoch FROM parked_at) * 1000000)::bigint "
    "FROM public.tributary_parked WHERE position > $1 ORDER BY position LIMIT $2"};
// The trigger lets a row with an hlc and an earlier transaction keep what it says.
const Statement kRetry{
    "retry",
    "WITH gone AS (DELETE FROM public.tributary_parked WHERE transaction_id = $1 RETURNING *) "
    "INSERT INTO public.tributary_outbox (transaction_id, key, type, operation, field, value, "
    "amount, context, context_id, exact, hlc, tag, written_id) "
    "SELECT transaction_id, key, type, operation, field, value, amount, context, context_id, "
    "exact, hlc, tag, id "
    "FROM gone ORDER BY position"};
// In runs of ids, as a batch would name them.
const Statement kDiscardParked{
    "discard_parked",
    "WITH gone AS MATERIALIZED ("
    "  DELETE FROM public.tributary_parked WHERE transaction_id = $1 RETURNING id, tag), "
    "told AS (INSERT INTO public.tributary_discarded (transaction_id, first_id, last_id, tag) "
    "  SELECT $1, min(id), max(id), tag FROM ("
    "    SELECT id, tag, id - row_number() OVER (ORDER BY id) AS run FROM gone) g"
    "  GROUP BY run, tag ORDER BY 2) "
    "SELECT 1 FROM gone"};
const Statement kDiscarded{
    "discarded",
    "SELECT position, transaction_id, first_id, last_id, tag FROM public.tributary_discarded "
    "ORDER BY position LIMIT $1"};
const Statement kForgetDiscarded{
    "forget_discarded",
    "DELETE FROM public.tributary_discarded d USING "
    "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
    "  AS k (transaction_id, first_id, last_id, tag, position) "
    "WHERE d.position = k.position AND d.transaction_id = k.transaction_id "
    "AND d.first_id = k.first_id AND d.last_id = k.last_id AND d.tag = k.tag"};

const Statement kDropBatch{
    "drop_batch",
    "DELETE FROM public.tributary_batch WHERE position = $1 AND confirmed_at IS NULL"};
// Rows name their contexts by their places among $13, which are stored once, and as old as the one
// that writers have: numbers of their own would make that look older than it is.
const Statement kParkUnsealed{
    "park_unsealed",
    "WITH seen AS MATERIALIZED (SELECT tributary.new_tag() AS id, u.bytes, u.place"
    "  FROM unnest($13::bytea[]) WITH ORDINALITY u (bytes, place)), "
    "told AS (INSERT INTO public.tributary_told_context (id, number, bytes) "
    "  OVERRIDING SYSTEM VALUE SELECT s.id, coalesce(c.number, 0), s.bytes"
    "  FROM seen s, public.tributary_context c) "
    "INSERT INTO public.tributary_parked (id, transaction_id, key, type, operation, value, amount, "
    "context_id, exact, hlc, tag, reason) "
    "SELECT k.id, $9, k.key, k.type, k.operation, k.value, k.amount, s.id, k.exact <> 0, $10, "
    "$11, $12::text FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], "
    "$6::bigint[], $7::bigint[], $8::bigint[])"
    "  AS k (id, key, type, operation, value, amount, place, exact) "
    "LEFT JOIN seen s ON s.place = k.place ORDER BY k.id"};

const Statement kDiscard{
    "discard",
    "WITH k AS MATERIALIZED ("
    "  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
    "  AS k (transaction_id, first_id, last_id, tag)), "
    "fresh AS (DELETE FROM public.tributary_outbox o USING k "
    "  WHERE o.id BETWEEN k.first_id AND k.last_id AND o.transaction_id = k.transaction_id"
    "  AND o.tag = k.tag AND o.written_id IS NULL), "
    "retried AS (DELETE FROM public.tributary_outbox o USING k "
    "  WHERE o.written_id BETWEEN k.first_id AND k.last_id AND o.transaction_id = k.transaction_id"
    "  AND o.tag = k.tag) "
    "DELETE FROM public.tributary_parked p USING k "
    "WHERE p.id BETWEEN k.first_id AND k.last_id AND p.transaction_id = k.transaction_id "
    "AND p.tag = k.tag"};

}  // namespace tributary::postgres::statements
