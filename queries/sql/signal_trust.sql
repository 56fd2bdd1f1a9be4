-- How far the signals of units can be believed over the span's days.
-- grain: one row per unit and signal
-- reads: signal_trust
-- $first, $last: local days, inclusive; $units: those to show
-- columns: unitno, signal, minutes, absent_minutes, frozen_hours (empty for signals that may stand
--   still), days, distrusted_days (of them), last_distrusted (local day)
SELECT
    unitno, signal, sum(minutes)::BIGINT AS minutes, sum(absent_minutes)::BIGINT AS absent_minutes,
    sum(frozen_hours)::BIGINT AS frozen_hours, count(DISTINCT hiveperiod) AS days,
    count(DISTINCT hiveperiod) FILTER (NOT trusted) AS distrusted_days,
    max(hiveperiod) FILTER (NOT trusted) AS last_distrusted
FROM signal_trust
WHERE hiveperiod BETWEEN $first AND $last AND unitno IN (SELECT unnest($units))
GROUP BY unitno, signal
ORDER BY unitno, signal
