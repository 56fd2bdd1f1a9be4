-- What the rows and the clocks of units are worth: lines that came twice or were bad, clocks off.
-- grain: one row per unit
-- reads: device_hour, device_health
-- $first, $last: local days, inclusive; $units: those to show
-- columns: unitno, lines, duplicate, quarantined (of them), clock_s (seconds with a row),
--   clock_well_s (of them, in minutes that tell of no more than two seconds between the device's
--   clock and its reference)
WITH files AS (
    SELECT
        unitno, sum(lines)::BIGINT AS lines, sum(duplicate)::BIGINT AS duplicate,
        sum(quarantined)::BIGINT AS quarantined
    FROM device_hour
    WHERE hiveperiod BETWEEN $first AND $last AND unitno IN (SELECT unnest($units))
    GROUP BY unitno
),
clocks AS (
    SELECT unitno, sum(observed_s)::BIGINT AS clock_s, sum(up_s)::BIGINT AS clock_well_s
    FROM device_health
    WHERE hiveperiod BETWEEN $first AND $last AND unitno IN (SELECT unnest($units))
      AND part = 'clock'
    GROUP BY unitno
)
SELECT unitno, lines, duplicate, quarantined, clock_s, clock_well_s
FROM files
FULL JOIN clocks USING (unitno)
WHERE coalesce(lines, clock_s) > 0
ORDER BY unitno
