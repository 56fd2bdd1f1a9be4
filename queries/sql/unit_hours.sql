-- How each unit spent each hour; what no row accounts for is unknown, or engine-off where the
-- counters prove it for all gaps of the unit's day.
-- grain: one row per unit and hour, from the first to the last hour that any unit has
-- reads: unit_minute, unit_day
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, hour (UTC), moving_s, idle_s, off_s, inferred_s, unknown_s; they
--   add up to 3600
WITH seen AS (
    SELECT
        dstrct_code, unitno, hiveperiod, date_trunc('hour', minute) AS hour,
        sum(moving_s) AS moving_s, sum(idle_s) AS idle_s, sum(off_s) AS off_s
    FROM unit_minute
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY dstrct_code, unitno, hiveperiod, hour
),
cells AS (
    SELECT u.dstrct_code, u.unitno, h.hiveperiod, h.hour
    FROM (SELECT DISTINCT dstrct_code, unitno FROM seen) AS u
    CROSS JOIN (SELECT DISTINCT hiveperiod, hour FROM seen) AS h
),
filled AS (
    SELECT
        c.dstrct_code, c.unitno, c.hiveperiod, c.hour,
        coalesce(s.moving_s, 0)::DOUBLE AS moving_s,
        coalesce(s.idle_s, 0)::DOUBLE AS idle_s,
        coalesce(s.off_s, 0)::DOUBLE AS off_s,
        greatest(3600 - coalesce(s.moving_s + s.idle_s + s.off_s, 0), 0)::DOUBLE AS rest_s
    FROM cells AS c
    LEFT JOIN seen AS s USING (dstrct_code, unitno, hiveperiod, hour)
)
SELECT
    f.dstrct_code, f.unitno, f.hour, f.moving_s, f.idle_s, f.off_s,
    CASE WHEN d.unknown_s = 0 AND d.inferred_off_s > 0 THEN f.rest_s ELSE 0 END AS inferred_s,
    CASE WHEN d.unknown_s = 0 AND d.inferred_off_s > 0 THEN 0 ELSE f.rest_s END AS unknown_s
FROM filled AS f
LEFT JOIN unit_day AS d USING (dstrct_code, unitno, hiveperiod)
ORDER BY f.dstrct_code, f.unitno, f.hour
