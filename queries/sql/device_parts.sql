-- How much of the observed time each part of a device was well; what is wrong as of the latest day.
-- grain: one row per unit, device and part
-- reads: device_health
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, deviceid, part, observed_s, up_s, state (well | at_times | unwell),
--   reason, since (UTC), of the latest day, NULL where the part is well; at_least: it may be older,
--   for it was well in no minute of these days, or a build of before does not tell
WITH days AS (
    -- the latest day with a minute in which it was well; days without a row tell nothing
    SELECT
        *,
        max(hiveperiod) FILTER (WHERE all_day IS NOT TRUE)
            OVER (PARTITION BY dstrct_code, unitno, deviceid, part) AS well_on
    FROM device_health
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
)
SELECT
    dstrct_code, unitno, deviceid, part,
    sum(observed_s)::DOUBLE AS observed_s,
    sum(up_s)::DOUBLE AS up_s,
    last(state ORDER BY hiveperiod) AS state,
    last(reason ORDER BY hiveperiod) AS reason,
    min(since) FILTER (WHERE well_on IS NULL OR hiveperiod >= well_on) AS since,
    coalesce(
        bool_or(all_day IS NULL AND since IS NOT NULL) FILTER (WHERE hiveperiod = well_on), true
    ) AS at_least
FROM days
GROUP BY dstrct_code, unitno, deviceid, part
ORDER BY dstrct_code, unitno, deviceid, part
