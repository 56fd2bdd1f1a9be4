-- What each unit did over the span, with the time it was observed.
-- grain: one row per unit
-- reads: unit_day
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, unittype, fwversion, then sums over the days in s, km, h, L, t, and
--   the latest counters
SELECT
    dstrct_code, unitno,
    arg_max(unittype, hiveperiod) AS unittype,
    arg_max(fwversion, hiveperiod) AS fwversion,
    sum(day_s)::DOUBLE AS day_s,
    sum(observed_s)::DOUBLE AS observed_s,
    sum(moving_s)::DOUBLE AS moving_s,
    sum(idle_s)::DOUBLE AS idle_s,
    sum(off_s)::DOUBLE AS off_s,
    sum(unknown_s)::DOUBLE AS unknown_s,
    sum(inferred_off_s)::DOUBLE AS inferred_off_s,
    sum(km)::DOUBLE AS km,
    sum(unobserved_km)::DOUBLE AS unobserved_km,
    sum(engine_h)::DOUBLE AS engine_h,
    sum(fuel_l)::DOUBLE AS fuel_l,
    sum(trips)::DOUBLE AS trips,
    sum(payload_t)::DOUBLE AS payload_t,
    sum(cam_cabin_up_s)::DOUBLE AS cam_cabin_up_s,
    sum(cam_front_up_s)::DOUBLE AS cam_front_up_s,
    sum(gps_fix_s)::DOUBLE AS gps_fix_s,
    sum(exceedances)::DOUBLE AS exceedances,
    arg_max(engine_hours_last, hiveperiod) AS engine_hours_last,
    arg_max(service_km_last, hiveperiod) AS service_km_last,
    arg_max(fuel_pct_last, hiveperiod) AS fuel_pct_last,
    max(last_ts) AS last_ts
FROM unit_day
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY dstrct_code, unitno
ORDER BY dstrct_code, unitno
