-- When units with a case were moving with their eyes seen, moving unseen (blind), or sent nothing.
-- grain: one row per unit and unbroken run of minutes in one state
-- reads: unit_minute
-- $first, $last: local days, inclusive; $units: those to show
-- columns: unitno, state (seen | blind | none), started_at, ended_at (UTC)
WITH minutes AS (
    SELECT
        unitno, minute,
        CASE
            WHEN blind_moving_s >= 30 THEN 'blind'
            WHEN moving_s >= 30 THEN 'seen'
            WHEN coalesce(seconds, 0) = 0 THEN 'none'
        END AS state
    FROM unit_minute
    WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno)
),
islands AS (
    SELECT
        unitno, minute, state,
        minute - to_minutes(row_number() OVER (PARTITION BY unitno, state ORDER BY minute)) AS island
    FROM minutes
    WHERE state IS NOT NULL
),
-- Minutes for which the mart has no row at all.
holes AS (
    SELECT
        unitno, minute + INTERVAL 1 MINUTE AS started_at,
        lead(minute) OVER (PARTITION BY unitno ORDER BY minute) AS ended_at
    FROM minutes
)
SELECT unitno, state, min(minute) AS started_at, max(minute) + INTERVAL 1 MINUTE AS ended_at
FROM islands
GROUP BY unitno, state, island
UNION ALL
SELECT unitno, 'none', started_at, ended_at
FROM holes
WHERE ended_at > started_at
ORDER BY unitno, started_at
