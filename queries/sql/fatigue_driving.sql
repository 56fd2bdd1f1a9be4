-- How each unit was driven, by shift: too fast, belt open, head turned away, face not tracked; beside
-- what it is divided by and what was not seen.
-- grain: one row per unit and number of the shift
-- reads: unit_shift, exceedance, fatigue_episode
-- $first, $last: production days, inclusive; $districts: empty list for all; $shift_days,
--   $shift_districts, $shift_starts: of each second shift of these days its production day,
--   district and start (epoch, s)
-- columns: dstrct_code, unitno, shift, moving_s, blind_moving_s, unbelted_s, over_s (seconds beyond
--   the dictionary's warn limit of the speed, in spells of 10 s and more), over (such spells),
--   over_crit (spells beyond the crit limit), worst_kmh, distractions, distracted_s, untracked
--   (spells of a face not tracked), untracked_s
WITH nights AS (
    SELECT
        unnest($shift_days) AS hiveperiod, unnest($shift_districts) AS dstrct_code,
        unnest($shift_starts) AS from_s
),
days AS (
    SELECT
        dstrct_code, unitno, shift, sum(moving_s) AS moving_s,
        sum(blind_moving_s) AS blind_moving_s, sum(unbelted_s) AS unbelted_s
    FROM unit_shift
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY dstrct_code, unitno, shift
    HAVING sum(moving_s) > 0
),
spells AS (
    SELECT
        hiveperiod, dstrct_code, unitno, started_at, level AS kind, beyond_s AS seconds, worst
    FROM exceedance
    WHERE signal = 'VehicleSpeed' AND side = 'high'
    UNION ALL
    SELECT
        hiveperiod, dstrct_code, unitno, started_at, kind,
        epoch(ended_at) - epoch(started_at) AS seconds, NULL AS worst
    FROM fatigue_episode
    WHERE kind IN ('distraction', 'not_tracked')
),
found AS (
    SELECT
        s.dstrct_code, s.unitno,
        CASE WHEN epoch(s.started_at) >= n.from_s THEN 2 ELSE 1 END AS shift,
        coalesce(sum(s.seconds) FILTER (s.kind = 'warn'), 0) AS over_s,
        count_if(s.kind = 'warn') AS over, count_if(s.kind = 'crit') AS over_crit,
        max(s.worst) AS worst_kmh,
        count_if(s.kind = 'distraction') AS distractions,
        coalesce(sum(s.seconds) FILTER (s.kind = 'distraction'), 0) AS distracted_s,
        count_if(s.kind = 'not_tracked') AS untracked,
        coalesce(sum(s.seconds) FILTER (s.kind = 'not_tracked'), 0) AS untracked_s
    FROM spells AS s
    LEFT JOIN nights AS n USING (hiveperiod, dstrct_code)
    WHERE s.hiveperiod BETWEEN $first AND $last
    GROUP BY ALL
)
SELECT
    d.dstrct_code, d.unitno, d.shift, d.moving_s::DOUBLE AS moving_s,
    d.blind_moving_s::DOUBLE AS blind_moving_s, d.unbelted_s::DOUBLE AS unbelted_s,
    coalesce(f.over_s, 0)::DOUBLE AS over_s, coalesce(f.over, 0)::BIGINT AS over,
    coalesce(f.over_crit, 0)::BIGINT AS over_crit, f.worst_kmh::DOUBLE AS worst_kmh,
    coalesce(f.distractions, 0)::BIGINT AS distractions,
    coalesce(f.distracted_s, 0)::DOUBLE AS distracted_s,
    coalesce(f.untracked, 0)::BIGINT AS untracked,
    coalesce(f.untracked_s, 0)::DOUBLE AS untracked_s
FROM days AS d
LEFT JOIN found AS f USING (dstrct_code, unitno, shift)
ORDER BY over_s DESC, d.unbelted_s DESC, d.dstrct_code, d.unitno, d.shift
