-- Signals of units second by second; a second counts once, also when two devices carry the unit.
-- grain: one row per unit and second
-- reads: telemetry
-- $units: those to show; $start, $end: instants; $columns: names to bring along
-- columns: unitno, at (UTC), and those asked for
SELECT unitno, ts AS "at", COLUMNS(lambda c: list_contains($columns, c))
FROM telemetry
WHERE unitno IN (SELECT unnest($units)) AND ts >= $start AND ts < $end
QUALIFY row_number() OVER (PARTITION BY unitno, ts ORDER BY deviceid) = 1
ORDER BY unitno, "at"
