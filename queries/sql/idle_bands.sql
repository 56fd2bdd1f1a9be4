-- How often and how long each unit idled, by length of the spell; a spell ends with its shift.
-- grain: one row per unit that idled
-- reads: state_interval
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, idle_s (all spells), then spells and seconds of those longer than
--   3 to 6 min (spells_3_6, idle_3_6_s), 6 to 9 min (spells_6_9, idle_6_9_s), more (spells_9, idle_9_s)
SELECT
    dstrct_code, unitno,
    sum(seconds)::DOUBLE AS idle_s,
    count_if(seconds > 180 AND seconds <= 360)::BIGINT AS spells_3_6,
    coalesce(sum(seconds) FILTER (seconds > 180 AND seconds <= 360), 0)::DOUBLE AS idle_3_6_s,
    count_if(seconds > 360 AND seconds <= 540)::BIGINT AS spells_6_9,
    coalesce(sum(seconds) FILTER (seconds > 360 AND seconds <= 540), 0)::DOUBLE AS idle_6_9_s,
    count_if(seconds > 540)::BIGINT AS spells_9,
    coalesce(sum(seconds) FILTER (seconds > 540), 0)::DOUBLE AS idle_9_s
FROM state_interval
WHERE hiveperiod BETWEEN $first AND $last AND state = 'idle'
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY dstrct_code, unitno
ORDER BY dstrct_code, unitno
