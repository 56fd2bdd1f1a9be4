-- Fuel that was gone after a unit had stood with its engine off for whole hours. Before is the lowest
-- level of the hour before, after the highest of the last hour of the standstill with a level, or of
-- the hour that follows it: refuelling hides a drop, driving makes none. Nothing is told where the
-- hour before is not there, or the level is only known later than the hour after.
-- grain: one row per unit and standstill over which the level fell by $points or more
-- reads: unit_hour
-- $first, $last: production days, inclusive; $districts: empty list for all; $points: of the tank, %
-- columns: dstrct_code, unitno, parked_at (UTC, begin of the first whole hour off), hours (whole hours
--   off), before_pct, after_pct, drop_pct, lat, lon (deg, of the hour before)
WITH hours AS (
    SELECT
        dstrct_code, unitno, hour_start,
        CASE WHEN lat IS NOT NULL AND lon IS NOT NULL THEN {'lat': lat, 'lon': lon} END AS place,
        FuelLevel_min::DOUBLE AS lowest, FuelLevel_max::DOUBLE AS highest,
        moving_s + idle_s + unknown_s = 0 AS parked
    FROM unit_hour
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
),
near AS (
    -- The hours off and those beside them, a few of all, are found without sorting all of them.
    SELECT
        dstrct_code, unitno,
        unnest([hour_start - INTERVAL 1 HOUR, hour_start, hour_start + INTERVAL 1 HOUR])
            AS hour_start
    FROM hours
    WHERE parked
),
edges AS MATERIALIZED (
    -- An hour in which one production day ends and the next begins has two rows.
    SELECT
        dstrct_code, unitno, hour_start, bool_and(parked) AS parked,
        min(lowest) AS lowest, max(highest) AS highest, any_value(place) AS place
    FROM hours
    SEMI JOIN near USING (dstrct_code, unitno, hour_start)
    GROUP BY dstrct_code, unitno, hour_start
),
stands AS (
    SELECT
        dstrct_code, unitno, min(hour_start) AS parked_at, count(*)::BIGINT AS hours,
        last(highest ORDER BY hour_start) FILTER (highest IS NOT NULL) AS level_off
    FROM (
        -- Of hours in a row the begin of the first is the same.
        SELECT *, hour_start - to_hours(row_number() OVER w) AS before_first
        FROM edges
        WHERE parked
        WINDOW w AS (PARTITION BY dstrct_code, unitno ORDER BY hour_start)
    )
    GROUP BY dstrct_code, unitno, before_first
),
compared AS (
    SELECT
        s.dstrct_code, s.unitno, s.parked_at, s.hours, b.lowest AS before_pct,
        coalesce(s.level_off, a.highest) AS after_pct, b.place
    FROM stands AS s
    JOIN edges AS b
      ON b.dstrct_code = s.dstrct_code AND b.unitno = s.unitno
     AND b.hour_start = s.parked_at - INTERVAL 1 HOUR
    LEFT JOIN edges AS a
      ON a.dstrct_code = s.dstrct_code AND a.unitno = s.unitno
     AND a.hour_start = s.parked_at + to_hours(s.hours)
)
SELECT
    dstrct_code, unitno, parked_at, hours, before_pct, after_pct,
    before_pct - after_pct AS drop_pct, place.lat AS lat, place.lon AS lon
FROM compared
WHERE before_pct - after_pct >= $points
ORDER BY drop_pct DESC, dstrct_code, unitno
