-- Fault codes that controllers of units reported; seen again after more than a minute without it, a
-- code has come back.
-- grain: one row per unit, code (SPN, FMI, source address) and time it was active
-- reads: telemetry
-- $units: those to show; $start, $end: instants
-- columns: unitno, spn, fmi, source, started_at, ended_at (UTC), active_s, times (1), carried (false),
--   occurrence (the controller's own count, largest)
WITH active AS (
    SELECT
        dstrct_code, unitno, ts, DtcSpn AS spn, DtcFmi AS fmi, DtcSource AS source,
        DtcOccurrence AS occurrence
    FROM telemetry
    WHERE unitno IN (SELECT unnest($units)) AND ts >= $start AND ts < $end AND DtcSpn IS NOT NULL
),
marked AS (
    SELECT
        dstrct_code, unitno, ts, spn, fmi, source, occurrence,
        coalesce(ts - lag(ts) OVER code > INTERVAL 1 MINUTE, true) AS fresh
    FROM active
    WINDOW code AS (PARTITION BY dstrct_code, unitno, spn, fmi, source ORDER BY ts)
),
times AS (
    SELECT
        dstrct_code, unitno, ts, spn, fmi, source, occurrence,
        count_if(fresh) OVER (
            PARTITION BY dstrct_code, unitno, spn, fmi, source
            ORDER BY ts ROWS UNBOUNDED PRECEDING
        ) AS number
    FROM marked
)
SELECT
    unitno, spn, fmi, source, min(ts) AS started_at, max(ts) + INTERVAL 1 SECOND AS ended_at,
    count(DISTINCT ts) AS active_s, 1::BIGINT AS times, false AS carried, max(occurrence) AS occurrence
FROM times
GROUP BY dstrct_code, unitno, spn, fmi, source, number
ORDER BY started_at, unitno, spn, fmi, source
