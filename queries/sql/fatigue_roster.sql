-- The shifts that the operator of one case was seen in, for whoever opened it. Who it is, is not
-- told here.
-- grain: one row per production day and shift of that operator
-- reads: fatigue_case, case_states, operator_shift
-- $case_id
-- columns: hiveperiod, shift, own (it is the shift of the case), cases (in that shift, up to and
--   with this one, without those that were called false alarms), first_minute (UTC, on the unit of the case)
WITH opened AS (
    SELECT * FROM fatigue_case WHERE case_id = $case_id AND operatorid <> ''
),
together AS (
    SELECT o.hiveperiod, o.shift, count(*) AS cases
    FROM opened AS o
    JOIN fatigue_case AS f ON
        f.operatorid = o.operatorid AND f.dstrct_code = o.dstrct_code
        AND f.hiveperiod = o.hiveperiod AND f.shift = o.shift AND f.started_at <= o.started_at
    LEFT JOIN case_states AS s ON s.case_id = f.case_id
    WHERE f.case_id = o.case_id OR coalesce(s.state, 'new') <> 'false_alarm'
    GROUP BY o.hiveperiod, o.shift
)
SELECT
    s.hiveperiod, s.shift,
    bool_or(s.hiveperiod = o.hiveperiod AND s.shift = o.shift) AS own,
    max(t.cases) AS cases,
    min(s.first_minute) FILTER (s.unitno = o.unitno) AS first_minute
FROM opened AS o
JOIN operator_shift AS s ON s.operatorid = o.operatorid AND s.dstrct_code = o.dstrct_code
LEFT JOIN together AS t ON t.hiveperiod = s.hiveperiod AND t.shift = s.shift
WHERE s.hiveperiod <= o.hiveperiod
GROUP BY s.hiveperiod, s.shift
ORDER BY s.hiveperiod, s.shift
