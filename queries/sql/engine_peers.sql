-- What is usual among units of the same type: the median of their hours.
-- grain: one row per unit type, hour and signal with at least three units
-- reads: unit_hour
-- $types: unit types; $start, $end: instants; $columns: means of signals, as unit_hour names them
-- columns: unittype, at (UTC, begin of the hour), and the median of those asked for
SELECT
    unittype, hour_start AS "at", count(*) AS units,
    median(COLUMNS(lambda c: list_contains($columns, c)))
FROM unit_hour
WHERE unittype IN (SELECT unnest($types)) AND hour_start >= $start AND hour_start < $end
  AND seconds > no_data_s
GROUP BY unittype, "at"
HAVING count(*) >= 3
ORDER BY unittype, "at"
