-- Status of every registered unit at this moment, from the ledger and its last built minute.
-- grain: one row per device registered today
-- reads: devices, last_seen, unit_minute, now, zones
-- $districts: empty list for all
-- columns: dstrct_code, unitno, unittype, deviceid, last_seen (UTC), age_s, last_state
--   (moving | idle | off | unknown | NULL), status (reporting | late | silent | parked |
--   never_seen), lat, lon
WITH present AS (SELECT now, grace_s FROM now),
register AS (
    SELECT d.deviceid, d.unitno, d.unittype, d.dstrct_code
    FROM devices AS d
    JOIN zones AS z ON z.district = d.dstrct_code, present
    WHERE d.valid_from <= strftime(timezone(z.zone, present.now), '%Y-%m-%d')
      AND (d.valid_to IS NULL OR d.valid_to >= strftime(timezone(z.zone, present.now), '%Y-%m-%d'))
      AND (len($districts) = 0 OR list_contains($districts, d.dstrct_code))
),
last_minute AS (
    SELECT
        deviceid,
        max(minute) AS minute,
        arg_max(lat, minute) AS lat,
        arg_max(lon, minute) AS lon,
        arg_max(
            CASE greatest(moving_s, idle_s, off_s, unknown_s)
                WHEN moving_s THEN 'moving' WHEN idle_s THEN 'idle' WHEN off_s THEN 'off'
                ELSE 'unknown' END,
            minute
        ) FILTER (WHERE seconds > 0) AS last_state
    FROM unit_minute
    GROUP BY deviceid
)
SELECT
    r.dstrct_code, r.unitno, r.unittype, r.deviceid, s.last_seen, m.last_state, m.lat, m.lon,
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
LEFT JOIN last_minute AS m USING (deviceid)
ORDER BY r.dstrct_code, r.unitno
