-- What stands beside every fatigue figure: how long the eyes were seen, not seen, or no row came.
-- grain: one row (all units of the scope together)
-- reads: unit_day
-- $first, $last: local days, inclusive; $districts: empty list for all
-- columns: units, moving_s, eyes_valid_moving_s, blind_moving_s, no_data_s, unobserved_km,
--   unobserved_h, km
SELECT
    count(DISTINCT (dstrct_code, unitno)) AS units,
    coalesce(sum(moving_s), 0)::DOUBLE AS moving_s,
    coalesce(sum(eyes_valid_moving_s), 0)::DOUBLE AS eyes_valid_moving_s,
    coalesce(sum(blind_moving_s), 0)::DOUBLE AS blind_moving_s,
    coalesce(sum(no_data_s), 0)::DOUBLE AS no_data_s,
    coalesce(sum(day_s), 0)::DOUBLE AS day_s,
    coalesce(sum(unobserved_km), 0)::DOUBLE AS unobserved_km,
    coalesce(sum(unobserved_h), 0)::DOUBLE AS unobserved_h,
    coalesce(sum(km), 0)::DOUBLE AS km
FROM unit_day
WHERE hiveperiod BETWEEN $first AND $last
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
