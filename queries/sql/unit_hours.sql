-- How each unit spent each hour; what is not accounted for is unknown.
-- grain: one row per unit and hour, from the first to the last hour that any unit has
-- reads: unit_minute
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, hour (UTC), moving_s, idle_s, off_s, unknown_s; they add up to 3600
WITH seen AS (
    SELECT
        dstrct_code, unitno, date_trunc('hour', minute) AS hour,
        sum(moving_s) AS moving_s, sum(idle_s) AS idle_s, sum(off_s) AS off_s
    FROM unit_minute
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY dstrct_code, unitno, hour
),
cells AS (
    SELECT u.dstrct_code, u.unitno, h.hour
    FROM (SELECT DISTINCT dstrct_code, unitno FROM seen) AS u
    CROSS JOIN (SELECT DISTINCT hour FROM seen) AS h
)
SELECT
    c.dstrct_code, c.unitno, c.hour,
    coalesce(s.moving_s, 0)::DOUBLE AS moving_s,
    coalesce(s.idle_s, 0)::DOUBLE AS idle_s,
    coalesce(s.off_s, 0)::DOUBLE AS off_s,
    greatest(3600 - coalesce(s.moving_s + s.idle_s + s.off_s, 0), 0)::DOUBLE AS unknown_s
FROM cells AS c
LEFT JOIN seen AS s USING (dstrct_code, unitno, hour)
ORDER BY c.dstrct_code, c.unitno, c.hour
