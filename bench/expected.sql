-- What every replica must hold after draining bench_rows, computed without any of Tributary's code:
-- one origin wrote everything, so a counter is a sum, a register its last write, and an element is
-- in a set when its last change is an add. One line per key: key, type, value (of a set: sorted
-- elements with a space between).
SELECT key, 'counter', sum(amount)::text FROM bench_rows WHERE type = 'counter' GROUP BY key
UNION ALL
SELECT * FROM (SELECT DISTINCT ON (key) key, 'register', convert_from(value, 'UTF8')
               FROM bench_rows WHERE type = 'register' ORDER BY key, id DESC) last
UNION ALL
SELECT key, 'set', coalesce(string_agg(element, ' ' ORDER BY element COLLATE "C")
                            FILTER (WHERE operation = 'add'), '')
FROM (SELECT DISTINCT ON (key, value) key, convert_from(value, 'UTF8') AS element, operation
      FROM bench_rows WHERE type = 'set' ORDER BY key, value, id DESC) last
GROUP BY key;
