-- Cases by hour into the shift and by the how-many-eth shift in a row, with what they are divided
-- by. A cell of fewer than five operators is withheld: only that it is there is told.
-- grain: one row per hour into the shift and number of the shift in a row
-- reads: operator_shift, eye_hour, fatigue_case, case_states
-- $first, $last: production days, inclusive; $districts: empty list for all; $shift_days,
--   $shift_districts, $shift_numbers, $shift_starts: of each shift of these days its production
--   day, district, number and start (epoch, s)
-- columns: hour (1 is the first), nth (7: the seventh or a later one), withheld, eye_h (hours moving
--   with the eyes seen), cases (that nobody called a false alarm)
WITH shifts AS (
    SELECT
        unnest($shift_days) AS hiveperiod, unnest($shift_districts) AS dstrct_code,
        unnest($shift_numbers) AS shift, unnest($shift_starts) AS from_s
),
worked AS (
    SELECT
        dstrct_code, operatorid, shift, hiveperiod,
        hiveperiod::DATE
        - (row_number() OVER (
            PARTITION BY dstrct_code, operatorid, shift ORDER BY hiveperiod
        ))::INTEGER AS island
    FROM (SELECT DISTINCT dstrct_code, operatorid, shift, hiveperiod FROM operator_shift)
),
roster AS (
    SELECT
        dstrct_code, operatorid, shift, hiveperiod,
        least(row_number() OVER (
            PARTITION BY dstrct_code, operatorid, shift, island ORDER BY hiveperiod
        ), 7) AS nth
    FROM worked
),
placed AS (
    SELECT r.dstrct_code, r.operatorid, r.nth, s.hiveperiod, s.shift, s.from_s
    FROM roster AS r
    JOIN shifts AS s USING (dstrct_code, hiveperiod, shift)
    WHERE s.hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, s.dstrct_code))
),
seen AS (
    SELECT
        p.nth, floor((epoch(e.hour_start) - p.from_s) / 3600)::BIGINT + 1 AS hour,
        count(DISTINCT p.operatorid) AS operators, sum(e.valid_moving_s) / 3600 AS eye_h
    FROM placed AS p
    JOIN eye_hour AS e ON
        e.dstrct_code = p.dstrct_code AND e.operator = p.operatorid
        AND epoch(e.hour_start) >= p.from_s AND epoch(e.hour_start) < p.from_s + 43200
    WHERE e.valid_moving_s > 0
    GROUP BY p.nth, hour
),
found AS (
    SELECT
        p.nth, floor((epoch(f.started_at) - p.from_s) / 3600)::BIGINT + 1 AS hour,
        count(*) AS cases
    FROM placed AS p
    JOIN fatigue_case AS f USING (dstrct_code, hiveperiod, shift, operatorid)
    LEFT JOIN case_states AS s USING (case_id)
    WHERE coalesce(s.state, 'new') <> 'false_alarm'
    GROUP BY p.nth, hour
)
SELECT
    s.hour, s.nth, s.operators < 5 AS withheld,
    CASE WHEN s.operators >= 5 THEN s.eye_h END::DOUBLE AS eye_h,
    CASE WHEN s.operators >= 5 THEN coalesce(f.cases, 0) END::BIGINT AS cases
FROM seen AS s
LEFT JOIN found AS f USING (nth, hour)
ORDER BY s.nth, s.hour
