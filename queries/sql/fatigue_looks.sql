-- When heads were turned away, and when no face was tracked, in a shift.
-- grain: one row per device and spell
-- reads: fatigue_episode
-- $start, $end: the shift (instants); $districts: empty list for all
-- columns: unitno, kind (distraction | not_tracked), started_at, ended_at (UTC), speed_kmh. No
--   operator, on purpose.
SELECT unitno, kind, started_at, ended_at, speed_kmh
FROM fatigue_episode
WHERE kind IN ('distraction', 'not_tracked') AND started_at >= $start AND started_at < $end
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY unitno, started_at, kind
