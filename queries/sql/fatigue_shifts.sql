-- Operator-shifts in which eyes were seen for an hour, and those with a confirmed case among them.
-- grain: one row (all operators of the scope together; nothing else of them is told)
-- reads: operator_shift, fatigue_case, case_states
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: withheld (fewer than five operators: the rest is NULL then), observed, with_confirmed
WITH hit AS (
    SELECT DISTINCT f.dstrct_code, f.hiveperiod, f.shift, f.operatorid
    FROM fatigue_case AS f
    JOIN case_states AS s USING (case_id)
    WHERE s.state = 'confirmed'
),
worked AS (
    SELECT dstrct_code, hiveperiod, shift, operatorid
    FROM operator_shift
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY dstrct_code, hiveperiod, shift, operatorid
    HAVING sum(eyes_valid_moving_s) >= 3600
),
counted AS (
    SELECT
        count(DISTINCT w.operatorid) AS operators, count(*) AS observed,
        count(h.operatorid) AS with_confirmed
    FROM worked AS w
    LEFT JOIN hit AS h USING (dstrct_code, hiveperiod, shift, operatorid)
)
SELECT
    operators < 5 AS withheld,
    CASE WHEN operators >= 5 THEN observed END AS observed,
    CASE WHEN operators >= 5 THEN with_confirmed END AS with_confirmed
FROM counted
