-- About where units were: the middle of their hours with a fix.
-- grain: one row, none where no unit told its place
-- reads: unit_hour
-- $first, $last: production days, inclusive; $units: those that count
-- columns: lat, lon (deg)
SELECT median(lat) AS lat, median(lon) AS lon
FROM unit_hour
WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno)
HAVING count(lat) > 0 AND count(lon) > 0
