-- How many lines were bad, and why.
-- grain: one row per reason and device
-- reads: quarantine
-- columns: reason, device, lines, files
SELECT
    reason,
    split_part(key, '/', 2) AS device,
    count(*) AS lines,
    count(DISTINCT key) AS files
FROM quarantine
GROUP BY ALL
ORDER BY lines DESC, reason, device
