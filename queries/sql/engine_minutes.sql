-- Signals of units by minute.
-- grain: one row per unit and minute with rows
-- reads: unit_minute
-- $units: those to show; $start, $end: instants; $columns: names to bring along
-- columns: unitno, at (UTC, begin of the minute), seconds (with rows), and those asked for
SELECT unitno, minute AS "at", seconds, COLUMNS(lambda c: list_contains($columns, c))
FROM unit_minute
WHERE unitno IN (SELECT unnest($units)) AND minute >= $start AND minute < $end AND seconds > 0
ORDER BY unitno, "at"
