-- What each unit's time was: EU from what was observed; working, delay, standby and repair hours of
-- those production days alone that the downtime log covers. Delays are part of the working hours.
-- grain: one row per unit
-- reads: unit_availability, unit_day
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, days, day_s, known_s, engine_on_s, moving_s, then of the days that the
--   log covers: log_days, log_s, work_s, delay_s, standby_s, repair_s, breakdown_s, breakdowns
SELECT
    a.dstrct_code, a.unitno,
    count(*) AS days,
    sum(a.day_s)::DOUBLE AS day_s,
    sum(a.known_s)::DOUBLE AS known_s,
    sum(a.engine_on_s)::DOUBLE AS engine_on_s,
    sum(d.moving_s)::DOUBLE AS moving_s,
    count_if(a.log_covers)::BIGINT AS log_days,
    coalesce(sum(a.day_s) FILTER (a.log_covers), 0)::DOUBLE AS log_s,
    coalesce(sum(a.work_s), 0)::DOUBLE AS work_s,
    coalesce(sum(a.delay_s), 0)::DOUBLE AS delay_s,
    coalesce(sum(a.standby_s), 0)::DOUBLE AS standby_s,
    coalesce(sum(a.repair_s), 0)::DOUBLE AS repair_s,
    coalesce(sum(a.breakdown_s), 0)::DOUBLE AS breakdown_s,
    coalesce(sum(a.breakdowns), 0)::BIGINT AS breakdowns
FROM unit_availability AS a
LEFT JOIN unit_day AS d USING (hiveperiod, dstrct_code, unitno)
WHERE a.hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, a.dstrct_code))
GROUP BY a.dstrct_code, a.unitno
ORDER BY a.dstrct_code, a.unitno
