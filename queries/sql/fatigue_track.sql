-- Where a unit was, minute by minute: the road that a case lies on.
-- grain: one row per minute with a position
-- reads: unit_minute
-- $units: the one unit; $start, $end: instants
-- columns: minute (UTC), lat, lon
SELECT minute, lat, lon
FROM unit_minute
WHERE list_contains($units, unitno) AND minute >= $start AND minute < $end
  AND lat IS NOT NULL AND lon IS NOT NULL
ORDER BY minute
