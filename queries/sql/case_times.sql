-- When fatigue cases started and were known, for those who see counts only.
-- grain: one row per case
-- reads: fatigue_case, case_states
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: hiveperiod, dstrct_code, shift (of the case), severity, started_at, arrived_at (UTC), state
--   (new | acknowledged | confirmed | false_alarm | not_assessable). No unit, no operator, on purpose.
SELECT
    hiveperiod, dstrct_code, shift, severity, started_at, arrived_at,
    coalesce(s.state, 'new') AS state
FROM fatigue_case AS f
LEFT JOIN case_states AS s USING (case_id)
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY started_at
