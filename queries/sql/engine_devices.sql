-- Cameras, GPS and the two speeds of units by minute.
-- grain: one row per unit and minute with rows
-- reads: unit_minute
-- $units: those to show; $start, $end: instants
-- columns: unitno, at (UTC), seconds (with rows), cam_cabin_up_s, cam_front_up_s, gps_fix_s,
--   gap_mean, gap_max (km/h), satellites_mean, satellites_min, by_gps_s
SELECT
    unitno, minute AS "at", seconds, cam_cabin_up_s, cam_front_up_s, gps_fix_s,
    speed_gap_mean AS gap_mean, speed_gap_max AS gap_max, gpsnumsat_mean AS satellites_mean,
    gpsnumsat_min AS satellites_min, speed_by_gps_s AS by_gps_s
FROM unit_minute
WHERE unitno IN (SELECT unnest($units)) AND minute >= $start AND minute < $end AND seconds > 0
ORDER BY unitno, "at"
