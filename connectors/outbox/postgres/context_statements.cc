#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres::statements {

// The time never goes down, unless it is one that nobody believes. A context that is new, or whose
// bytes are gone, gets an id of its own; the answer is the id of the one that writers have now.
const Statement kSetContext{
    "set_context",
    "WITH n AS (SELECT greatest(tributary.believed_hlc(hlc) # (-9223372036854775808),"
    "    tributary.believed_hlc($2) # (-9223372036854775808)) # (-9223372036854775808) AS hlc"
    "  FROM public.tributary_context), "
    "fresh AS (INSERT INTO public.tributary_told_context (id, bytes)"
    "  SELECT tributary.new_tag(), $1::bytea FROM public.tributary_context c"
    "  WHERE NOT EXISTS (SELECT FROM public.tributary_told_context t"
    "    WHERE t.id = c.context_id AND t.bytes = $1::bytea)"
    "  RETURNING id, number) "
    "UPDATE public.tributary_context c SET watermark = $4::bytea, told = $3, hlc = n.hlc,"
    "  context_id = coalesce(f.id, c.context_id), number = coalesce(f.number, c.number) "
    "FROM n LEFT JOIN fresh f ON true "
    "WHERE f.id IS NOT NULL OR c.watermark <> $4::bytea OR c.told <> $3 OR c.hlc <> n.hlc "
    "RETURNING c.context_id"};

// The time alone.
const Statement kSetClock{
    "set_clock",
    "UPDATE public.tributary_context SET hlc = greatest("
    "  tributary.believed_hlc(hlc) # (-9223372036854775808),"
    "  tributary.believed_hlc($1) # (-9223372036854775808)) # (-9223372036854775808)"};

const Statement kContexts{
    "contexts",
    "SELECT id, bytes FROM public.tributary_told_context WHERE id = ANY ($1::bigint[])"};

// Up to which number a context may go, and below which transaction were all that are open and name
// one of those.
const Statement kSweepMark{
    "sweep_mark",
    "SELECT c.number - 512, pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
    "FROM public.tributary_context c"};
// One step through the contexts behind $1. Answers how far it came, or NULL; and whether it could
// look at all: no transaction below $3 is open.
const Statement kSweepContexts{
    "sweep_contexts",
    "WITH now AS MATERIALIZED ("
    "  SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $3 AS ready), "
    "step AS MATERIALIZED (SELECT id, number FROM public.tributary_told_context"
    "  WHERE id > $1 AND (SELECT ready FROM now) ORDER BY id LIMIT 500), "
    "gone AS (DELETE FROM public.tributary_told_context t WHERE t.id = ANY (ARRAY ("
    "    SELECT s.id FROM step s WHERE s.number <= $2"
    "      AND NOT EXISTS (SELECT FROM public.tributary_outbox o WHERE o.context_id = s.id)"
    "      AND s.id IS DISTINCT FROM (SELECT c.context_id FROM public.tributary_context c)"
    "      AND NOT EXISTS (SELECT FROM public.tributary_parked p WHERE p.context_id = s.id)))) "
    "SELECT (SELECT max(id) FROM step), (SELECT ready FROM now)"};

}  // namespace tributary::postgres::statements
