-- Which firmware has which part of its devices at fault.
-- grain: one row per firmware and part
-- reads: device_health, unit_day
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: fwversion, part, devices, faulty (devices with a day on which the part was not well),
--   observed_s, up_s
SELECT
    d.fwversion, h.part,
    count(DISTINCT h.deviceid)::BIGINT AS devices,
    count(DISTINCT h.deviceid) FILTER (h.state <> 'well')::BIGINT AS faulty,
    sum(h.observed_s)::DOUBLE AS observed_s,
    sum(h.up_s)::DOUBLE AS up_s
FROM device_health AS h
JOIN unit_day AS d USING (hiveperiod, dstrct_code, unitno)
WHERE h.hiveperiod BETWEEN $first AND $last AND d.fwversion IS NOT NULL
  AND (len($districts) = 0 OR list_contains($districts, h.dstrct_code))
GROUP BY d.fwversion, h.part
ORDER BY d.fwversion, h.part
