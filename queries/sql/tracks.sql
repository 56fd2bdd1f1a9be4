-- Where some units drove: positions of minutes in which they moved, from which roads are drawn.
-- grain: one row per unit and minute
-- reads: unit_minute
-- $first, $last: local days, inclusive; $districts: empty list for all; $units: those to follow
-- columns: dstrct_code, unitno, minute (UTC), lat, lon (deg)
SELECT dstrct_code, unitno, minute, lat, lon
FROM unit_minute
WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno)
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
  AND moving_s > 0 AND lat IS NOT NULL AND lon IS NOT NULL
ORDER BY dstrct_code, unitno, minute
