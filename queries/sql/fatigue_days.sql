-- Cases day by day beside the hours in which eyes were seen, and the firmware that saw them.
-- grain: one row per production day with a unit
-- reads: unit_day, operator_shift, fatigue_case, case_states
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: hiveperiod, withheld (fewer than five operators: cases are NULL then), eye_h, blind_h,
--   microsleep, drowsy (cases that nobody called a false alarm), microsleep_first, drowsy_first
--   (those of them whose file came within the grace of its hour: as they were first published),
--   units (that told their firmware), changed (those whose firmware is another than on their day
--   before), came_from, came_to (of most of these)
WITH day AS (
    SELECT
        hiveperiod, eyes_valid_moving_s, blind_moving_s, fwversion,
        lag(fwversion IGNORE NULLS) OVER (
            PARTITION BY dstrct_code, unitno ORDER BY hiveperiod
        ) AS last_version
    FROM unit_day
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
),
seen AS (
    SELECT
        hiveperiod,
        sum(eyes_valid_moving_s) / 3600 AS eye_h,
        sum(blind_moving_s) / 3600 AS blind_h,
        count(fwversion) AS units,
        count(*) FILTER (fwversion <> last_version) AS changed,
        mode([last_version, fwversion]) FILTER (fwversion <> last_version) AS versions
    FROM day
    GROUP BY hiveperiod
),
people AS (
    SELECT hiveperiod, count(DISTINCT operatorid) AS operators
    FROM operator_shift
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY hiveperiod
),
standing AS (
    SELECT
        f.hiveperiod, f.kind,
        coalesce(f.arrived_at, s.minted_at)
            <= time_bucket(INTERVAL 1 hour, coalesce(f.ended_at, f.started_at))
                + INTERVAL 3 hours AS at_first
    FROM fatigue_case AS f
    LEFT JOIN case_states AS s USING (case_id)
    WHERE f.hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, f.dstrct_code))
      AND f.kind IN ('microsleep', 'drowsy') AND coalesce(s.state, 'new') <> 'false_alarm'
),
found AS (
    SELECT
        hiveperiod,
        count(*) FILTER (kind = 'microsleep') AS microsleep,
        count(*) FILTER (kind = 'drowsy') AS drowsy,
        count(*) FILTER (kind = 'microsleep' AND at_first) AS microsleep_first,
        count(*) FILTER (kind = 'drowsy' AND at_first) AS drowsy_first
    FROM standing
    GROUP BY hiveperiod
)
SELECT
    hiveperiod, coalesce(operators, 0) < 5 AS withheld, eye_h, blind_h,
    CASE WHEN operators >= 5 THEN coalesce(microsleep, 0) END AS microsleep,
    CASE WHEN operators >= 5 THEN coalesce(drowsy, 0) END AS drowsy,
    CASE WHEN operators >= 5 THEN coalesce(microsleep_first, 0) END AS microsleep_first,
    CASE WHEN operators >= 5 THEN coalesce(drowsy_first, 0) END AS drowsy_first,
    units, changed, versions[1] AS came_from, versions[2] AS came_to
FROM seen
LEFT JOIN people USING (hiveperiod)
LEFT JOIN found USING (hiveperiod)
ORDER BY hiveperiod
