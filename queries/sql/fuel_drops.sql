-- Fuel that was gone after a unit had stood with its engine off for whole hours. Before is the lowest
-- level of the last hour with the engine on, after the highest of the first hour with a level from
-- then on: refuelling hides a drop, driving makes none.
-- grain: one row per unit and standstill over which the level fell by $points or more
-- reads: unit_hour
-- $first, $last: production days, inclusive; $districts: empty list for all; $points: of the tank, %
-- columns: dstrct_code, unitno, parked_at (UTC, begin of the first whole hour off), hours (whole hours
--   off), before_pct, after_pct, drop_pct, lat, lon (deg, of the hour before)
WITH hours AS (
    SELECT
        dstrct_code, unitno, hour_start, lat, lon,
        FuelLevel_min::DOUBLE AS lowest, FuelLevel_max::DOUBLE AS highest,
        moving_s + idle_s + unknown_s = 0 AS parked
    FROM unit_hour
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
),
edges AS (
    -- Standstills with the hours beside them, a few of all: sorted by a number, for by names it takes
    -- half as long again.
    SELECT *
    FROM hours
    WINDOW w AS (PARTITION BY hash(dstrct_code, unitno) ORDER BY hour_start)
    QUALIFY parked OR lag(parked) OVER w OR lead(parked) OVER w
),
runs AS (
    -- Each standstill has the number of working hours before it.
    SELECT *, count_if(NOT parked) OVER w AS run
    FROM edges
    WINDOW w AS (PARTITION BY dstrct_code, unitno ORDER BY hour_start)
),
stands AS (
    SELECT
        dstrct_code, unitno, run,
        min(hour_start) FILTER (parked) AS parked_at,
        count_if(parked)::BIGINT AS hours,
        any_value(lowest) FILTER (NOT parked) AS before_pct,
        last(highest ORDER BY hour_start) FILTER (parked AND highest IS NOT NULL) AS level_off,
        any_value(highest) FILTER (NOT parked) AS highest,
        any_value(lat) FILTER (NOT parked) AS lat,
        any_value(lon) FILTER (NOT parked) AS lon
    FROM runs
    GROUP BY dstrct_code, unitno, run
),
compared AS (
    SELECT
        * EXCLUDE (highest, level_off),
        coalesce(level_off, lead(highest) OVER (PARTITION BY dstrct_code, unitno ORDER BY run))
            AS after_pct
    FROM stands
)
SELECT
    dstrct_code, unitno, parked_at, hours, before_pct, after_pct,
    before_pct - after_pct AS drop_pct, lat, lon
FROM compared
WHERE hours > 0 AND before_pct - after_pct >= $points
ORDER BY drop_pct DESC, dstrct_code, unitno
