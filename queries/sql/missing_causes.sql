-- Why hours are missing, as the marts concluded.
-- grain: one row per device and missing local hour
-- reads: device_hour
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: district, deviceid, hour (local, YYYYMMDDHH), cause
SELECT dstrct_code AS district, deviceid, hour, cause
FROM device_hour
WHERE hiveperiod BETWEEN $first AND $last AND state = 'missing'
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
ORDER BY district, deviceid, hour
