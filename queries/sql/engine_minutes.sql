-- A unit's signals by minute, with the conditions of their bands.
-- grain: one row per minute with rows
-- reads: unit_minute
-- $first, $last: local days, inclusive; $units: the one unit; $columns: names to bring along
-- columns: minute (UTC), seconds, speed_gap_mean, speed_gap_max, and those asked for
SELECT minute, seconds, COLUMNS(lambda c: list_contains($columns, c))
FROM unit_minute
WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno) AND seconds > 0
ORDER BY minute
