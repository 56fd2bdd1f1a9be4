-- The operator of one case, for whoever opened it.
-- grain: one row per case
-- reads: fatigue_case
-- $first, $last: local days, inclusive; $case_id
-- columns: operatorid
SELECT operatorid
FROM fatigue_case
WHERE hiveperiod BETWEEN $first AND $last AND case_id = $case_id
