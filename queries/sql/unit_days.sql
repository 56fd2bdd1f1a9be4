-- How each unit spent each production day; lost is what was idle or unknown.
-- grain: one row per unit and production day
-- reads: unit_day
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: hiveperiod, dstrct_code, unitno, day_s, moving_s, idle_s, off_s (seen), inferred_s,
--   unknown_s, lost_s; the five states add up to day_s
SELECT
    hiveperiod, dstrct_code, unitno,
    day_s::DOUBLE AS day_s,
    moving_s::DOUBLE AS moving_s,
    idle_s::DOUBLE AS idle_s,
    (off_s - inferred_off_s)::DOUBLE AS off_s,
    inferred_off_s::DOUBLE AS inferred_s,
    unknown_s::DOUBLE AS unknown_s,
    (idle_s + unknown_s)::DOUBLE AS lost_s
FROM unit_day
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY hiveperiod, dstrct_code, unitno
