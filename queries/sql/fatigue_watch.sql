-- What was seen of each unit in a shift, and what was not: for the handover.
-- grain: one row per unit that moved or was not seen
-- reads: unit_shift
-- $first, $last: the production day; $shift: 1 or 2; $districts: empty list for all
-- columns: dstrct_code, unitno, moving_s, blind_moving_s, no_data_s, shift_s, unobserved_km
SELECT
    dstrct_code, unitno, moving_s::DOUBLE AS moving_s, blind_moving_s::DOUBLE AS blind_moving_s,
    no_data_s::DOUBLE AS no_data_s, shift_s::DOUBLE AS shift_s,
    coalesce(unobserved_km, 0)::DOUBLE AS unobserved_km
FROM unit_shift
WHERE hiveperiod BETWEEN $first AND $last AND shift = $shift
  AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
  AND (moving_s > 0 OR no_data_s > 0)
ORDER BY blind_moving_s + no_data_s DESC, unitno
