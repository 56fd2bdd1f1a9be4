-- When units with a case were moving with their eyes seen, moving unseen (blind), or sent nothing.
-- grain: one row per unit and unbroken run of minutes in one state
-- reads: unit_minute
-- $units: those to show; $start, $end: the shift, as far as it is over (instants)
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
    WHERE list_contains($units, unitno) AND minute >= $start AND minute < $end
),
islands AS (
    SELECT
        unitno, minute, state,
        minute - to_minutes(row_number() OVER (PARTITION BY unitno, state ORDER BY minute)) AS island
    FROM minutes
    WHERE state IS NOT NULL
),
-- The shift begins and ends also where the unit has no row.
edged AS (
    SELECT unitno, minute FROM minutes
    UNION ALL
    SELECT unnest($units), $start::TIMESTAMPTZ - INTERVAL 1 MINUTE
    UNION ALL
    SELECT unnest($units), $end::TIMESTAMPTZ
),
-- Minutes for which the mart has no row at all.
holes AS (
    SELECT
        unitno, minute + INTERVAL 1 MINUTE AS started_at,
        lead(minute) OVER (PARTITION BY unitno ORDER BY minute) AS ended_at
    FROM edged
)
SELECT unitno, state, min(minute) AS started_at, max(minute) + INTERVAL 1 MINUTE AS ended_at
FROM islands
GROUP BY unitno, state, island
UNION ALL
SELECT unitno, 'none', started_at, ended_at
FROM holes
WHERE ended_at > started_at
ORDER BY unitno, started_at
