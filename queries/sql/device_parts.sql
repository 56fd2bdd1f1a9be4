-- How much of the observed time each part of a device was well; what is wrong as of the latest day.
-- grain: one row per unit, device and part
-- reads: device_health
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, deviceid, part, observed_s, up_s, state (well | at_times | unwell),
--   reason, since (UTC), of the latest day; NULL where the part is well
SELECT
    dstrct_code, unitno, deviceid, part,
    sum(observed_s)::DOUBLE AS observed_s,
    sum(up_s)::DOUBLE AS up_s,
    last(state ORDER BY hiveperiod) AS state,
    last(reason ORDER BY hiveperiod) AS reason,
    last(since ORDER BY hiveperiod) AS since
FROM device_health
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY dstrct_code, unitno, deviceid, part
ORDER BY dstrct_code, unitno, deviceid, part
