-- Which units were ready when the latest shift began: what each did in its first second, and when
-- it first moved. The latest shift of a district is the last one that brought a row of any unit.
-- grain: one row per unit of a district's latest shift
-- reads: state_interval
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: hiveperiod, dstrct_code, shift, shift_start (UTC), unitno, state (moving | idle | off |
--   unknown), first_moved_at (UTC; NULL when it did not move)
WITH intervals AS (
    SELECT hiveperiod, dstrct_code, shift, unitno, state, observed, started_at
    FROM state_interval
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
),
latest AS (
    SELECT hiveperiod, dstrct_code, shift, min(started_at) AS shift_start
    FROM intervals
    GROUP BY hiveperiod, dstrct_code, shift
    HAVING bool_or(observed)
    QUALIFY row_number() OVER (PARTITION BY dstrct_code ORDER BY shift_start DESC) = 1
)
SELECT
    l.hiveperiod, l.dstrct_code, l.shift, l.shift_start, i.unitno,
    coalesce(any_value(i.state) FILTER (i.started_at = l.shift_start), 'unknown') AS state,
    min(i.started_at) FILTER (i.state = 'moving') AS first_moved_at
FROM latest AS l
JOIN intervals AS i USING (hiveperiod, dstrct_code, shift)
GROUP BY l.hiveperiod, l.dstrct_code, l.shift, l.shift_start, i.unitno
ORDER BY l.dstrct_code, i.unitno
