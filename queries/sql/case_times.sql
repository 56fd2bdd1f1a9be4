-- When fatigue cases started and were known, for those who see counts only.
-- grain: one row per case
-- reads: fatigue_case
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: severity, started_at, arrived_at (UTC). No unit, no operator, on purpose.
SELECT severity, started_at, arrived_at
FROM fatigue_case
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY started_at
