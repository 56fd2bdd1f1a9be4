-- What some units did, from change to change; what is off because the counters stood still is told
-- apart from what was seen off.
-- grain: one row per unit and interval of one state
-- reads: state_interval
-- $first, $last: production days, inclusive; $districts: empty list for all; $units: those to show
-- columns: hiveperiod, dstrct_code, unitno, state (moving | idle | off | inferred | unknown),
--   started_at, ended_at (UTC), seconds
SELECT
    hiveperiod, dstrct_code, unitno,
    CASE WHEN state = 'off' AND NOT observed THEN 'inferred' ELSE state END AS state,
    started_at, ended_at, seconds::DOUBLE AS seconds
FROM state_interval
WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno)
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY dstrct_code, unitno, started_at
