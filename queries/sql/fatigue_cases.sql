-- Fatigue cases that started in the span, worst first, with what people said of them.
-- grain: one row per case
-- reads: fatigue_case, case_states, operator_shift
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: case_id, hiveperiod, dstrct_code, unitno, deviceid, shift, kind, evidence, started_at,
--   ended_at (UTC), episodes, closure_s, closed_share, closed_share_low, usual_share, speed_kmh,
--   metres_closed, severity, device_agrees, arrived_at (UTC; when the case was first found,
--   where no object says), same_operator (the unit's newest
--   rows are of the operator of the case, or nobody knows better), seen_until (UTC, of the unit's
--   newest minute with an operator), state (new | acknowledged | confirmed | false_alarm |
--   not_assessable), basis, action, acknowledged_at, reviewed_at, opened_at, minted_at (UTC).
--   The operator is left out on purpose: identity belongs to the opened case only.
WITH newest AS (
    SELECT
        dstrct_code, unitno, arg_max(operatorid, last_minute) AS operatorid,
        max(last_minute) AS seen_until
    FROM operator_shift
    WHERE hiveperiod BETWEEN $first AND $last
    GROUP BY dstrct_code, unitno
)
SELECT
    f.case_id, f.hiveperiod, f.dstrct_code, f.unitno, f.deviceid, f.shift, f.kind, f.evidence,
    f.started_at, f.ended_at, f.episodes, f.closure_s, f.closed_share, f.closed_share_low,
    f.usual_share, f.speed_kmh, f.metres_closed, f.severity, f.device_agrees,
    coalesce(f.arrived_at, s.minted_at) AS arrived_at,
    coalesce(n.operatorid = f.operatorid, true) OR f.operatorid = '' AS same_operator,
    n.seen_until,
    coalesce(s.state, 'new') AS state, s.basis, s.action, s.acknowledged_at, s.reviewed_at,
    s.opened_at, s.minted_at
FROM fatigue_case AS f
LEFT JOIN newest AS n USING (dstrct_code, unitno)
LEFT JOIN case_states AS s USING (case_id)
WHERE f.hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, f.dstrct_code))
ORDER BY f.metres_closed DESC NULLS LAST, f.started_at, f.case_id
