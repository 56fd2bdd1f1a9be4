-- Fatigue cases that started in the span, worst first.
-- grain: one row per case
-- reads: fatigue_case
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: case_id, dstrct_code, unitno, deviceid, kind, evidence, started_at, ended_at (UTC),
--   closure_s, closed_share, speed_kmh, metres_closed, severity, device_agrees, arrived_at (UTC).
--   The operator is left out on purpose: identity belongs to the opened case only.
SELECT
    case_id, dstrct_code, unitno, deviceid, kind, evidence, started_at, ended_at, closure_s,
    closed_share, speed_kmh, metres_closed, severity, device_agrees, arrived_at
FROM fatigue_case
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY metres_closed DESC NULLS LAST, started_at, case_id
