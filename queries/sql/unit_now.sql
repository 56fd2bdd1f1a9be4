-- Status of every registered unit at this moment, from the ledger and its last built hour.
-- grain: one row per device registered today
-- reads: devices, last_seen, unit_hour, now, zones
-- $districts: empty list for all; $units: those whose hours are looked at, empty for all
-- columns: dstrct_code, unitno, unittype, deviceid, last_seen (UTC), age_s, last_state
--   (moving | idle | off | unknown | NULL), status (reporting | late | silent | parked |
--   never_seen), lat, lon, heading (deg; of the last hour with a fix)
WITH present AS (SELECT now, grace_s FROM now),
register AS (
    SELECT d.deviceid, d.unitno, d.unittype, d.dstrct_code
    FROM devices AS d
    JOIN zones AS z ON z.district = d.dstrct_code, present
    WHERE d.valid_from <= strftime(timezone(z.zone, present.now), '%Y-%m-%d')
      AND (d.valid_to IS NULL OR d.valid_to >= strftime(timezone(z.zone, present.now), '%Y-%m-%d'))
      AND (len($districts) = 0 OR list_contains($districts, d.dstrct_code))
),
last_hour AS (
    SELECT
        deviceid,
        arg_max(lat, hour_start) AS lat,
        arg_max(lon, hour_start) AS lon,
        arg_max(heading, hour_start) FILTER (lat IS NOT NULL) AS heading,
        arg_max(last_state, last_minute) AS last_state
    FROM unit_hour
    WHERE last_minute IS NOT NULL AND (len($units) = 0 OR list_contains($units, unitno))
    GROUP BY deviceid
)
SELECT
    r.dstrct_code, r.unitno, r.unittype, r.deviceid, s.last_seen, m.last_state, m.lat, m.lon,
    m.heading::DOUBLE AS heading,
    epoch(p.now - s.last_seen)::DOUBLE AS age_s,
    -- A file holds a whole hour and takes some minutes to come: that much is no delay.
    CASE
        WHEN s.last_seen IS NULL THEN 'never_seen'
        WHEN p.now - s.last_seen <= INTERVAL 75 MINUTE THEN 'reporting'
        WHEN m.last_state = 'off' THEN 'parked'
        WHEN p.now - s.last_seen <= to_seconds(3600 + p.grace_s) THEN 'late'
        ELSE 'silent'
    END AS status
FROM register AS r
CROSS JOIN present AS p
LEFT JOIN last_seen AS s USING (deviceid)
LEFT JOIN last_hour AS m USING (deviceid)
ORDER BY r.dstrct_code, r.unitno
