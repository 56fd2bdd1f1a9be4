-- Units with telemetry in the span.
-- grain: one row per unit
-- reads: unit_day
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, unittype, exceedances
SELECT
    dstrct_code, unitno, arg_max(unittype, hiveperiod) AS unittype,
    sum(exceedances)::BIGINT AS exceedances
FROM unit_day
WHERE hiveperiod BETWEEN $first AND $last AND observed_s > 0
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY dstrct_code, unitno
ORDER BY dstrct_code, unitno
