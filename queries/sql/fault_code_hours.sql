-- Fault codes that controllers of units reported, by the hour: what `fault_codes` tells by the second.
-- grain: one row per unit, code (SPN, FMI, source address) and hour in which it was active
-- reads: fault_code_hour
-- $units: those to show; $start, $end: instants
-- columns: unitno, spn, fmi, source, started_at, ended_at (UTC, of the hour's first and last second
--   with it), active_s, times (it came in the hour), carried (it went on from the hour before),
--   occurrence (the controller's own count, largest)
SELECT
    unitno, spn, fmi, source, first_ts AS started_at, last_ts + INTERVAL 1 SECOND AS ended_at,
    active_s, times, carried, occurrence
FROM fault_code_hour
WHERE unitno IN (SELECT unnest($units)) AND first_ts < $end AND last_ts >= $start
ORDER BY started_at, unitno, spn, fmi, source
