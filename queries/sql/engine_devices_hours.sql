-- The same by hour, for spans of days: cameras and GPS, and how far the speed of GPS lies from that
-- of the wheels.
-- grain: one row per unit, hour and production day with rows
-- reads: unit_hour, speed_deviation
-- $units: those to show; $start, $end: instants
-- columns: unitno, at (UTC), seconds (with rows), cam_cabin_up_s, cam_front_up_s, gps_fix_s,
--   gap_mean, gap_max (km/h), satellites_mean, satellites_min, by_gps_s
SELECT
    h.unitno, h.hour_start AS "at", h.seconds - h.no_data_s AS seconds, h.cam_cabin_up_s,
    h.cam_front_up_s, h.gps_fix_s, d.gap_mean, d.gap_max, d.satellites_mean, d.satellites_min,
    round(d.by_gps_share * (h.seconds - h.no_data_s)) AS by_gps_s
FROM unit_hour AS h
LEFT JOIN speed_deviation AS d
  ON d.dstrct_code = h.dstrct_code AND d.unitno = h.unitno AND d.deviceid = h.deviceid
  AND d.hour_start = h.hour_start
WHERE h.unitno IN (SELECT unnest($units)) AND h.hour_start >= $start AND h.hour_start < $end
  AND h.seconds > h.no_data_s
ORDER BY h.unitno, "at"
