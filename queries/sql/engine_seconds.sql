-- A unit's signals second by second.
-- grain: one row per second
-- reads: telemetry
-- $units: the one unit; $start, $end: instants; $columns: names to bring along
-- columns: ts (UTC), and those asked for
SELECT ts, COLUMNS(lambda c: list_contains($columns, c))
FROM telemetry
WHERE list_contains($units, unitno) AND ts >= $start AND ts < $end
ORDER BY ts
