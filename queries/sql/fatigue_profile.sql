-- Cases by hour into the shift and by the how-many-eth shift in a row, with what they are divided
-- by. A cell of fewer than five operators is withheld: only that it is there is told.
-- grain: one row per hour into the shift and number of the shift in a row
-- reads: operator_shift, fatigue_case, case_states
-- $first, $last: production days, inclusive, of 14 days before them rosters alone are read;
--   $districts: empty list for all; $shift_days,
--   $shift_districts, $shift_numbers, $shift_starts: of each shift of these days its production
--   day, district, number and start (epoch, s)
-- columns: hour (1 is the first), nth (7: the seventh or a later one), withheld, eye_h (hours moving
--   with the eyes seen), cases (that nobody called a false alarm)
WITH given AS (
    SELECT
        unnest($shift_days) AS hiveperiod, unnest($shift_districts) AS dstrct_code,
        unnest($shift_numbers) AS shift, unnest($shift_starts) AS from_s
),
shifts AS (
    SELECT *, hiveperiod::DATE - $first::DATE + 14 AS day
    FROM given
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
),
worked AS MATERIALIZED (
    -- Days are numbered, the first one shown is 14.
    SELECT
        dstrct_code, operatorid, shift, hiveperiod, eyes_valid_moving_by_hour_s AS seen_s,
        hiveperiod::DATE - $first::DATE + 14 AS day
    FROM operator_shift
    WHERE hiveperiod >= strftime($first::DATE - 14, '%Y-%m-%d')
),
known AS (SELECT * FROM worked WHERE seen_s IS NOT NULL),
calendar AS (
    -- An operator's days of a shift as bits, the first lowest: 31 days and 14 before them fit.
    SELECT dstrct_code, operatorid, shift, bit_or(1::BIGINT << day) AS days
    FROM worked
    GROUP BY dstrct_code, operatorid, shift
),
weeks AS (
    -- A day and the six before it as seven bits, the day highest: as many in a row as ones lead.
    SELECT
        week,
        CASE
            WHEN week = 127 THEN 7 WHEN week >= 126 THEN 6 WHEN week >= 124 THEN 5
            WHEN week >= 120 THEN 4 WHEN week >= 112 THEN 3 WHEN week >= 96 THEN 2 ELSE 1
        END AS nth
    FROM range(64, 128) AS r (week)
),
roster AS MATERIALIZED (
    -- Who had which shift, as the how-many-eth in a row.
    SELECT s.dstrct_code, s.hiveperiod, s.shift, s.from_s, c.operatorid, w.nth
    FROM shifts AS s
    JOIN calendar AS c USING (dstrct_code, shift)
    JOIN weeks AS w ON w.week = ((c.days << 6) >> s.day) & 127
),
taken AS (
    -- Summed up by operator before the hours become rows, which are half a million otherwise.
    SELECT
        r.nth, r.operatorid,
        [
            sum(k.seen_s[1]), sum(k.seen_s[2]), sum(k.seen_s[3]), sum(k.seen_s[4]),
            sum(k.seen_s[5]), sum(k.seen_s[6]), sum(k.seen_s[7]), sum(k.seen_s[8]),
            sum(k.seen_s[9]), sum(k.seen_s[10]), sum(k.seen_s[11]), sum(k.seen_s[12]),
            sum(k.seen_s[13])
        ] AS seen_s
    FROM known AS k
    JOIN roster AS r USING (dstrct_code, hiveperiod, shift, operatorid)
    GROUP BY r.nth, r.operatorid
),
hours AS (SELECT nth, unnest(range(1, 14)) AS hour, unnest(seen_s) AS seen_s FROM taken),
seen AS (
    SELECT nth, hour, count(*) AS operators, sum(seen_s) / 3600 AS eye_h
    FROM hours
    WHERE seen_s > 0
    GROUP BY nth, hour
),
found AS (
    SELECT
        r.nth, floor((epoch(f.started_at) - r.from_s) / 3600)::BIGINT + 1 AS hour,
        count(*) AS cases
    FROM fatigue_case AS f
    JOIN roster AS r USING (dstrct_code, hiveperiod, shift, operatorid)
    -- Where the hours are not known there is nothing to divide by: marts of an older release.
    SEMI JOIN known AS k USING (dstrct_code, hiveperiod, shift, operatorid)
    LEFT JOIN case_states AS s USING (case_id)
    WHERE coalesce(s.state, 'new') <> 'false_alarm'
    GROUP BY r.nth, hour
)
SELECT
    s.hour, s.nth, s.operators < 5 AS withheld,
    CASE WHEN s.operators >= 5 THEN s.eye_h END::DOUBLE AS eye_h,
    CASE WHEN s.operators >= 5 THEN coalesce(f.cases, 0) END::BIGINT AS cases
FROM seen AS s
LEFT JOIN found AS f USING (nth, hour)
ORDER BY s.nth, s.hour
