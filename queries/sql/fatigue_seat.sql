-- Since when a unit had been driven, up to a moment, without a stop of ten minutes.
-- grain: one row per unit
-- reads: state_interval
-- $units: the one unit; $start: from when on to look back, $end: the moment (instants)
-- columns: unitno, since (UTC), found (a stop lies before it; else nothing is known of before),
--   unknown_s (of which nothing is known what the unit did)
WITH spans AS (
    SELECT
        unitno, state, started_at, least(ended_at, $end) AS ended_at,
        sum((state = 'moving')::INTEGER) OVER (PARTITION BY unitno ORDER BY started_at) AS leg
    FROM state_interval
    WHERE list_contains($units, unitno) AND ended_at > $start AND started_at < $end
),
-- Each time that it drove, with the stop that followed.
legs AS (
    SELECT
        unitno, leg, min(started_at) AS began,
        coalesce(sum(epoch(ended_at - started_at)) FILTER (state IN ('idle', 'off')), 0) AS stop_s,
        coalesce(sum(epoch(ended_at - started_at)) FILTER (state = 'unknown'), 0) AS unknown_s
    FROM spans
    GROUP BY unitno, leg
),
last_stop AS (
    SELECT unitno, max(leg) AS leg FROM legs WHERE stop_s >= 600 GROUP BY unitno
)
SELECT
    l.unitno, min(l.began) AS since, bool_or(s.leg IS NOT NULL) AS found,
    sum(l.unknown_s)::DOUBLE AS unknown_s
FROM legs AS l
LEFT JOIN last_stop AS s USING (unitno)
WHERE l.leg > coalesce(s.leg, 0)
GROUP BY l.unitno
