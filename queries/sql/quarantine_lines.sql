-- Bad lines of raw files, newest hour first, a page of them.
-- grain: one row a bad line
-- reads: quarantine
-- $key, $device, $reason: empty for all; $skip, $most: the page
-- columns: key, line, reason, start_hex (the first 200 bytes, hexadecimal), bytes (how many there
--   are), total (bad lines of all pages)
SELECT
    key,
    line,
    reason,
    left(bytes_hex, 400) AS start_hex,
    length(bytes_hex) // 2 AS bytes,
    count(*) OVER () AS total
FROM quarantine
WHERE ($key = '' OR key = $key)
  AND ($device = '' OR split_part(key, '/', 2) = $device)
  AND ($reason = '' OR reason = $reason)
ORDER BY split_part(key, '/', 3) DESC, key, line
LIMIT $most OFFSET $skip
