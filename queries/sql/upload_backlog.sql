-- Files that still wait on devices, as each device last said it.
-- grain: one row a device that was heard of since $start
-- reads: unit_minute
-- $start: the oldest word that counts (UTC); $districts: empty list for all
-- columns: district, deviceid, unitno, files, said_at (UTC)
SELECT
    dstrct_code AS district,
    deviceid,
    arg_max(unitno, minute) AS unitno,
    arg_max(uploadbacklog_max, minute)::BIGINT AS files,
    max(minute) AS said_at
FROM unit_minute
WHERE minute >= $start AND uploadbacklog_max IS NOT NULL
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
GROUP BY dstrct_code, deviceid
ORDER BY files DESC, district, deviceid
