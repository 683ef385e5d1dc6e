CREATE OR REPLACE FUNCTION tributary.check_size(what text, bytes bigint, most bigint, name text)
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF bytes > most THEN
    PERFORM tributary.refuse(format('%s has %s bytes, the limit is %s', what, bytes, most),
                             format('Raise limits.%s in the topology, or write less.', name));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_key(key text, type text, expected text, most bigint)
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  shown CONSTANT text := '"' || left(key, 80) || '"';
BEGIN
  IF key IS NULL THEN PERFORM tributary.refuse('the key is NULL', 'Give a Redis key.'); END IF;
  IF key = '' THEN PERFORM tributary.refuse('the key is empty', 'Give a Redis key.'); END IF;
  IF starts_with(key, 'tributary:') THEN
    PERFORM tributary.refuse('key ' || shown || ' starts with "tributary:"',
                             'Those keys hold Tributary''s own state, choose another prefix.');
  END IF;
  PERFORM tributary.check_size('key ' || shown, octet_length(key), most, 'key_bytes');
  IF expected IS NULL THEN
    PERFORM tributary.refuse('no keyspace matches key ' || shown,
      'Add a pattern for it under keyspaces in the topology and run tributary topology apply.');
  END IF;
  PERFORM tributary.refuse(format('key %s is a %s by its keyspace, not a %s', shown, expected,
                                  coalesce(type, 'NULL')),
                           format('Use an operation of %s.', expected));
END $$;

CREATE OR REPLACE FUNCTION tributary.check_amount(what text, amount numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF amount = 'NaN' OR amount >= 9223372036854775808 OR amount < -9223372036854775808 THEN
    PERFORM tributary.refuse(format('%s: %s is no 64-bit integer', what, amount),
                             'An amount lies within ±9223372036854775807.');
  ELSIF amount <> trunc(amount) THEN
    PERFORM tributary.refuse(format('%s: %s is no integer', what, amount),
                             'An amount is an integer: round it as your business wants it.');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_operand(what text, name text, takes boolean,
                                                   given boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF takes AND NOT given THEN
    PERFORM tributary.refuse(format('%s needs %s', what, name), 'It may be empty or 0, not NULL.');
  ELSIF given AND NOT takes THEN
    PERFORM tributary.refuse(format('%s takes no %s', what, split_part(name, ' ', 2)),
                             'Leave it out.');
  END IF;
END $$;
