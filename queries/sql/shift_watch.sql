-- How long units moved in each shift, and how much of it with the eyes unseen.
-- grain: one row per production day and shift
-- reads: unit_shift
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: hiveperiod, shift, moving_s, blind_moving_s
SELECT
    hiveperiod, shift,
    sum(moving_s)::DOUBLE AS moving_s,
    sum(blind_moving_s)::DOUBLE AS blind_moving_s
FROM unit_shift
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY hiveperiod, shift
ORDER BY hiveperiod, shift
