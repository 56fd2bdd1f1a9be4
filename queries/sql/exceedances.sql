-- Exceedances of units that touch a span, newest first.
-- grain: one row per exceedance
-- reads: exceedance
-- $units: those to show; $start, $end: instants
-- columns: unitno, signal, level, side, limit_value, started_at, ended_at (UTC), duration_s,
--   beyond_s (of them beyond the limit), worst, condition, dtc_spn, dtc_fmi, dtc_source
SELECT
    unitno, signal, level, side, limit_value, started_at, ended_at, duration_s, beyond_s, worst,
    condition, dtc_spn, dtc_fmi, dtc_source
FROM exceedance
WHERE unitno IN (SELECT unnest($units)) AND started_at < $end AND ended_at > $start
ORDER BY started_at DESC, unitno, signal, level
