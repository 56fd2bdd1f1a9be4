-- What became of the hours of each device: of a month of a fleet all that is counted.
-- grain: one row per device, state of its hours, and whether they are due
-- over: delivery
-- columns: district, deviceid, state, due, hours, late and uncovered (how many of these came late, or are
--   missing for want of coverage), rows (each second once), built (how many of these
--   hours the marts know), lost and counted (rows that the device lost in these, and all that it
--   counted), delays (s, of each hour; NULL: it has not
--   come), out (begins of the hours that are missing or corrupt, UTC, in no order)
SELECT
    district, deviceid, state, due,
    count(*)::BIGINT AS hours,
    count_if(late)::BIGINT AS late,
    count_if(cause = 'no_coverage')::BIGINT AS uncovered,
    sum(accepted - overlapped)::BIGINT AS rows,
    count(lost_s)::BIGINT AS built,
    coalesce(sum(lost_s), 0)::BIGINT AS lost,
    coalesce(sum(powered_s), 0)::BIGINT AS counted,
    list(delay_s) AS delays,
    list(hour_start) FILTER (state IN ('missing', 'corrupt')) AS out
FROM delivery
GROUP BY district, deviceid, state, due
