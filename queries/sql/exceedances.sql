-- A unit's exceedances in the span, newest first.
-- grain: one row per exceedance
-- reads: exceedance
-- $first, $last: local days, inclusive; $units: the one unit
-- columns: signal, level, side, limit_value, started_at, ended_at (UTC), duration_s, worst,
--   condition, dtc_spn, dtc_fmi, dtc_source
SELECT
    signal, level, side, limit_value, started_at, ended_at, duration_s, worst, condition, dtc_spn,
    dtc_fmi, dtc_source
FROM exceedance
WHERE hiveperiod BETWEEN $first AND $last AND list_contains($units, unitno)
ORDER BY started_at DESC, signal
