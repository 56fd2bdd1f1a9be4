-- Radio coverage by cell of the ground over the days of the span.
-- Of each day the number of units is known, and the first and the last of them. So it is certain
-- whether there were three in all; beyond that, there were at least as many as are told.
-- grain: one row a cell of the ground
-- reads: coverage_cell
-- $districts: empty list for all
-- columns: district, lat, lon, units, seconds, down_s, down_share, rsrp (dBm: mean of the days'
--   medians by seconds), enough (600 s and 3 units: fit to be judged)
WITH cells AS (
    SELECT
        dstrct_code AS district,
        lat,
        lon,
        greatest(max(units), list_unique(list(first_unit) || list(last_unit)))::BIGINT AS units,
        sum(seconds)::BIGINT AS seconds,
        sum(down_s)::BIGINT AS down_s,
        sum(down_s) / sum(seconds) AS down_share,
        sum(rsrp_median * seconds) FILTER (rsrp_median IS NOT NULL)
            / sum(seconds) FILTER (rsrp_median IS NOT NULL) AS rsrp
    FROM coverage_cell
    WHERE len($districts) = 0 OR list_contains($districts, dstrct_code)
    GROUP BY dstrct_code, lat_cell, lon_cell, lat, lon
)
SELECT *, units >= 3 AND seconds >= 600 AS enough
FROM cells
ORDER BY down_share DESC, district, lat, lon
