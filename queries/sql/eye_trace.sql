-- The seconds around a case: eyes, speed, tracking.
-- grain: one row per second of one device
-- reads: telemetry
-- $deviceid; $start, $end: instants
-- columns: ts (UTC), ear, earmin, earbaseline, eyeclosedfrac, eyecloseddur, faceconf,
--   driverpresent, camcabinstatus, dmsalarm, speed
SELECT
    ts, ear, earmin, earbaseline, eyeclosedfrac, eyecloseddur, faceconf, driverpresent,
    camcabinstatus, dmsalarm,
    CASE WHEN gpsfixtype >= 2 OR gpsfixtype IS NULL THEN gpslat END AS lat,
    CASE WHEN gpsfixtype >= 2 OR gpsfixtype IS NULL THEN gpslong END AS lon,
    CASE WHEN speedsource = 'GPS' THEN coalesce(gpsspeed, VehicleSpeed)
         ELSE coalesce(VehicleSpeed, gpsspeed) END AS speed
FROM telemetry
WHERE deviceid = $deviceid AND ts BETWEEN $start AND $end
ORDER BY ts
