-- How far the signals of units can be believed over the span's days, and what tells.
-- grain: one row per unit and signal
-- reads: signal_trust
-- $first, $last: local days, inclusive; $units: those to show
-- columns: unitno, signal, model, minutes, absent_minutes, frozen_hours (empty for signals that may
--   stand still), sisters, sisters_with (of the last day), days, judged_days, distrusted_days (of
--   them), last_distrusted (local day), faults (why it is not trusted), unjudged (why nothing is said;
--   both lists in order, maybe empty), gap_s, gap_kmh, gap_satellites (of the two speeds, over the
--   days on which the gap can be told), gap_days (on which it is too wide)
SELECT
    unitno, signal, max_by(model, hiveperiod) AS model, sum(minutes)::BIGINT AS minutes,
    sum(absent_minutes)::BIGINT AS absent_minutes, sum(frozen_hours)::BIGINT AS frozen_hours,
    max_by(sisters, hiveperiod) AS sisters, max_by(sisters_with, hiveperiod) AS sisters_with,
    count(DISTINCT hiveperiod) AS days,
    count(DISTINCT hiveperiod) FILTER (trusted IS NOT NULL) AS judged_days,
    count(DISTINCT hiveperiod) FILTER (NOT trusted) AS distrusted_days,
    max(hiveperiod) FILTER (NOT trusted) AS last_distrusted,
    -- days that were built before there were reasons have none
    coalesce(list_sort(list(DISTINCT
        coalesce(reason, CASE WHEN frozen_hours > 0 THEN 'frozen' ELSE 'absent' END)
    ) FILTER (NOT trusted)), []) AS faults,
    coalesce(list_sort(list(DISTINCT reason) FILTER (trusted IS NULL)), []) AS unjudged,
    sum(gap_s) FILTER (gap_kmh IS NOT NULL)::BIGINT AS gap_s,
    sum(gap_kmh * gap_s) / sum(gap_s) FILTER (gap_kmh IS NOT NULL) AS gap_kmh,
    sum(gap_satellites * gap_s) / sum(gap_s) FILTER (gap_satellites IS NOT NULL) AS gap_satellites,
    count(DISTINCT hiveperiod) FILTER (reason = 'gap') AS gap_days
FROM signal_trust
WHERE hiveperiod BETWEEN $first AND $last AND unitno IN (SELECT unnest($units))
GROUP BY unitno, signal
ORDER BY unitno, signal
