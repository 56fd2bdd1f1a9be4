-- Every expected device-hour and what came of it: of settled days from the mart, of others from the
-- ledger; what only the built marts know (powered seconds, proven off) refines it there.
-- Nothing is expected of a district before the first hour that any of its devices delivered.
-- grain: one row per device and local hour
-- reads: devices, arrivals, settled, settled_hour, open_hour, now, zones, first_hour
-- $days: local days; $districts: empty list for all
-- columns: district, deviceid, unitno, hour (local, YYYYMMDDHH), hour_start (UTC), state
--   (complete | partial | corrupt | missing | pending | proven_off | not_registered), due (its grace
--   is over: what came earlier has its own state, and counts nowhere yet, for what has not come does
--   not either), late, lost_s and powered_s (rows that the device lost, and all that it counted; none
--   of what has not been built), lines, accepted, overlapped, quarantined, arrived_at (UTC), delay_s, key (none of what is
--   complete and in time); for what is missing or failed: cause, cause_confidence,
--   cause_evidence (empty until the marts have been built). In no order: a month of a fleet are
--   360,000 rows, so pages ask for what other queries make of them (``over: delivery``).
WITH present AS (SELECT now, grace_s FROM now),
hours AS (
    SELECT day, strftime(strptime(day, '%Y-%m-%d') + to_hours(h), '%Y%m%d%H') AS hour
    FROM unnest($days) AS d (day), range(24) AS r (h)
),
slots AS (
    SELECT
        z.district, h.day, h.hour,
        timezone(z.zone, strptime(h.hour, '%Y%m%d%H')) AS hour_start
    FROM hours AS h
    CROSS JOIN zones AS z
    WHERE (h.day, z.district) NOT IN (SELECT (day, district) FROM settled)
),
registered AS (
    SELECT s.district, d.deviceid, d.unitno, s.hour, s.hour_start
    FROM devices AS d
    JOIN slots AS s
      ON s.district = d.dstrct_code
     AND s.day >= d.valid_from AND (d.valid_to IS NULL OR s.day <= d.valid_to)
    JOIN first_hour AS f ON f.district = s.district AND s.hour >= f.hour
    WHERE len($districts) = 0 OR list_contains($districts, d.dstrct_code)
),
cells AS (
    SELECT
        coalesce(r.district, a.district) AS district,
        coalesce(r.deviceid, a.deviceid) AS deviceid,
        coalesce(r.unitno, a.unitno) AS unitno,
        coalesce(r.hour, a.hour) AS hour,
        coalesce(r.hour_start, s.hour_start) AS hour_start,
        r.deviceid IS NOT NULL AS is_registered,
        a.* EXCLUDE (district, deviceid, unitno, hour)
    FROM registered AS r
    FULL JOIN arrivals AS a
      ON a.district = r.district AND a.deviceid = r.deviceid AND a.hour = r.hour
    LEFT JOIN slots AS s ON s.district = a.district AND s.hour = a.hour
),
stated AS (
    SELECT
        c.district, c.deviceid, c.unitno, c.hour, c.hour_start, c.key, c.arrived_at,
        coalesce(c.lines, 0)::BIGINT AS lines,
        coalesce(c.accepted, 0)::BIGINT AS accepted,
        coalesce(c.overlapped, 0)::BIGINT AS overlapped,
        coalesce(c.quarantined, 0)::BIGINT AS quarantined,
        epoch(c.arrived_at - (c.hour_start + INTERVAL 1 HOUR))::DOUBLE AS delay_s,
        coalesce(c.arrived_at > c.hour_start + to_seconds(3600 + p.grace_s), false) AS late,
        coalesce(p.now >= c.hour_start + to_seconds(3600 + p.grace_s), false) AS due,
        m.seqno_lost AS lost_s, m.powered_s,
        CASE
            WHEN NOT c.is_registered THEN 'not_registered'
            WHEN c.failed = 1 OR c.status = 'corrupt' THEN 'corrupt'
            WHEN c.status = 'partial' THEN 'partial'
            WHEN c.accepted >= 0.99 * coalesce(m.powered_s, least(c.span_us / 1e6 + 1, 3600)) THEN 'complete'
            WHEN c.status IS NOT NULL THEN 'partial'
            WHEN c.waiting = 1 OR NOT due THEN 'pending'
            WHEN m.state = 'proven_off' THEN 'proven_off'
            ELSE 'missing'
        END AS state,
        coalesce(c.failed, 0) = 1 AS failed, m.cause, m.cause_confidence, m.cause_evidence
    FROM cells AS c
    CROSS JOIN present AS p
    LEFT JOIN open_hour AS m
      ON m.dstrct_code = c.district AND m.deviceid = c.deviceid AND m.hour = c.hour
     -- What was built before this file came does not know it.
     AND (c.status IS NULL OR m.lines = c.lines)
    -- An hour that has not begun is not expected yet.
    WHERE c.hour_start < p.now OR c.status IS NOT NULL
)
SELECT
    dstrct_code AS district, deviceid, unitno, hour, hour_start,
    CASE WHEN late OR state <> 'complete' THEN key END AS key, arrived_at,
    coalesce(lines, 0)::BIGINT AS lines, coalesce(accepted, 0)::BIGINT AS accepted,
    coalesce(overlapped, 0)::BIGINT AS overlapped, coalesce(quarantined, 0)::BIGINT AS quarantined,
    arrival_delay_s::DOUBLE AS delay_s, late,
    true AS due, -- every hour of a settled day is closed
    seqno_lost::DOUBLE AS lost_s, powered_s::DOUBLE AS powered_s,
    state,
    nullif(cause, '') AS cause,
    CASE WHEN cause <> '' THEN cause_confidence END AS cause_confidence,
    CASE WHEN cause <> '' THEN cause_evidence END AS cause_evidence
FROM settled_hour
UNION ALL
SELECT
    * EXCLUDE (failed, cause, cause_confidence, cause_evidence)
      REPLACE (CASE WHEN late OR state <> 'complete' THEN key END AS key),
    CASE
        WHEN failed THEN 'our_failure'
        WHEN state = 'missing' THEN coalesce(nullif(cause, ''), 'unknown')
    END AS cause,
    CASE WHEN state = 'missing' OR failed THEN cause_confidence END AS cause_confidence,
    CASE WHEN state = 'missing' OR failed THEN cause_evidence END AS cause_evidence
FROM stated
