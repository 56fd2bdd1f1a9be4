-- Cases by hour into the shift and by the how-many-eth shift in a row, with what they are divided
-- by. A cell of fewer than five operators is withheld: only that it is there is told.
-- grain: one row per hour into the shift and number of the shift in a row
-- reads: operator_shift, eye_hour, fatigue_case, case_states
-- $first, $last: production days, inclusive, of 14 days before them rosters alone are read;
--   $districts: empty list for all; $shift_days,
--   $shift_districts, $shift_numbers, $shift_starts: of each shift of these days its production
--   day, district, number and start (epoch, s)
-- columns: hour (1 is the first), nth (7: the seventh or a later one), withheld, eye_h (hours moving
--   with the eyes seen), cases (that nobody called a false alarm)
WITH shifts AS (
    SELECT
        unnest(range(len($shift_days))) AS no,
        unnest($shift_days) AS hiveperiod, unnest($shift_districts) AS dstrct_code,
        unnest($shift_numbers) AS shift, unnest($shift_starts) AS from_s
),
worked AS (
    SELECT DISTINCT
        dstrct_code, operatorid, shift, hiveperiod, hiveperiod::DATE - $first::DATE + 14 AS nr
    FROM operator_shift
    WHERE hiveperiod >= strftime($first::DATE - 14, '%Y-%m-%d')
),
calendar AS (
    -- An operator's days of a shift as bits, the first lowest: 31 days and 14 before them fit.
    SELECT dstrct_code, operatorid, shift, bit_or(1::BIGINT << nr) AS days
    FROM worked
    GROUP BY dstrct_code, operatorid, shift
),
roster AS (
    -- A day and the six before it as seven bits, the day highest: as many in a row as ones lead.
    SELECT
        dstrct_code, operatorid, shift, hiveperiod,
        CASE
            WHEN week = 127 THEN 7 WHEN week >= 126 THEN 6 WHEN week >= 124 THEN 5
            WHEN week >= 120 THEN 4 WHEN week >= 112 THEN 3 WHEN week >= 96 THEN 2 ELSE 1
        END AS nth
    FROM (
        SELECT w.*, ((c.days << 6) >> w.nr) & 127 AS week
        FROM worked AS w JOIN calendar AS c USING (dstrct_code, operatorid, shift)
    )
),
placed AS (
    SELECT s.no, r.dstrct_code, r.operatorid, r.nth, s.hiveperiod, s.shift, s.from_s
    FROM roster AS r
    JOIN shifts AS s USING (dstrct_code, hiveperiod, shift)
    WHERE s.hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, s.dstrct_code))
),
clock AS (
    -- The hours of each shift, found by their begin: an operator's hours paired with all shifts of the
    -- same operator were a hundred times as many.
    SELECT
        no, dstrct_code, n + 1 AS hour,
        ceil(from_s / 3600)::BIGINT * 3600 + n * 3600 AS at_s
    FROM shifts, range(12) AS r (n)
),
timed AS MATERIALIZED (
    -- Joined before anything else: in the order that estimates suggest it takes fifteen times as long.
    SELECT e.operator AS operatorid, e.valid_moving_s, c.no, c.hour
    FROM eye_hour AS e
    JOIN clock AS c ON c.dstrct_code = e.dstrct_code AND c.at_s = epoch(e.hour_start)::BIGINT
    WHERE e.valid_moving_s > 0
),
seen AS (
    SELECT
        p.nth, t.hour,
        count(DISTINCT p.operatorid) AS operators, sum(t.valid_moving_s) / 3600 AS eye_h
    FROM placed AS p
    JOIN timed AS t USING (no, operatorid)
    GROUP BY p.nth, t.hour
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
