-- The seconds around a case: eyes, the level of open eyes that judged them, speed, place.
-- grain: one row per second of one device
-- reads: telemetry, eye_hour
-- $deviceid; $start, $end: instants; $first, $last: local days around them
-- columns: ts (UTC), ear, earmin, open_ear (of the operator in that hour, as the marts judged it;
--   null where no hour was judged), eyeclosedfrac, eyecloseddur, faceconf, driverpresent,
--   camcabinstatus, dmsalarm, lat, lon, speed (km/h)
SELECT
    t.ts, t.ear, t.earmin, e.open_ear, t.eyeclosedfrac, t.eyecloseddur, t.faceconf,
    t.driverpresent, t.camcabinstatus, t.dmsalarm,
    CASE WHEN t.gpsfixtype >= 2 OR t.gpsfixtype IS NULL THEN t.gpslat END AS lat,
    CASE WHEN t.gpsfixtype >= 2 OR t.gpsfixtype IS NULL THEN t.gpslong END AS lon,
    CASE WHEN t.speedsource = 'GPS' THEN coalesce(t.gpsspeed, t.VehicleSpeed)
         ELSE coalesce(t.VehicleSpeed, t.gpsspeed) END AS speed
FROM telemetry AS t
LEFT JOIN eye_hour AS e
    ON e.hiveperiod BETWEEN $first AND $last
    AND e.dstrct_code = t.dstrct_code AND e.unitno = t.unitno
    AND e.operator = coalesce(nullif(t.operatorid, ''), t.unitno)
    AND e.hour_start = time_bucket(INTERVAL 1 hour, t.ts)
WHERE t.deviceid = $deviceid AND t.ts BETWEEN $start AND $end
ORDER BY t.ts
