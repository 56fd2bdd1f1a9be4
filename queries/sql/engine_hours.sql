-- Signals of units by hour.
-- grain: one row per unit, hour and production day with rows
-- reads: unit_hour
-- $units: those to show; $start, $end: instants; $columns: names to bring along
-- columns: unitno, at (UTC, begin of the hour), seconds (with rows), and those asked for
SELECT
    unitno, hour_start AS "at", seconds - no_data_s AS seconds,
    COLUMNS(lambda c: list_contains($columns, c))
FROM unit_hour
WHERE unitno IN (SELECT unnest($units)) AND hour_start >= $start AND hour_start < $end
  AND seconds > no_data_s
ORDER BY unitno, "at"
