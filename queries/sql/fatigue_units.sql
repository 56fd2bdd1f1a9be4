-- Each unit's cases beside what they are divided by, and what was not seen.
-- grain: one row per unit
-- reads: unit_day, fatigue_case, case_states
-- $first, $last: production days, inclusive; $districts: empty list for all
-- columns: dstrct_code, unitno, eye_h (hours moving with the eyes seen), eye_km, moving_s,
--   blind_moving_s, no_data_s, day_s, unobserved_km, unbelted_s, cases, standing (not called a
--   false alarm), confirmed, false_alarm, judged (with a verdict), alike (the device alarmed and our
--   own evidence agrees), device_alone (nothing but the device's alarm)
WITH days AS (
    SELECT
        dstrct_code, unitno,
        coalesce(sum(eyes_valid_moving_s), 0) / 3600 AS eye_h,
        coalesce(sum(eye_km), 0) AS eye_km,
        coalesce(sum(moving_s), 0) AS moving_s,
        coalesce(sum(blind_moving_s), 0) AS blind_moving_s,
        coalesce(sum(no_data_s), 0) AS no_data_s,
        coalesce(sum(day_s), 0) AS day_s,
        coalesce(sum(unobserved_km), 0) AS unobserved_km,
        coalesce(sum(unbelted_s), 0) AS unbelted_s
    FROM unit_day
    WHERE hiveperiod BETWEEN $first AND $last
      AND (len($districts) = 0 OR list_contains($districts, dstrct_code))
    GROUP BY dstrct_code, unitno
),
found AS (
    SELECT
        f.dstrct_code, f.unitno, count(*) AS cases,
        count_if(coalesce(s.state, 'new') <> 'false_alarm') AS standing,
        count_if(s.state = 'confirmed') AS confirmed,
        count_if(s.state = 'false_alarm') AS false_alarm,
        count_if(s.state IN ('confirmed', 'false_alarm', 'not_assessable')) AS judged,
        count_if(f.device_agrees) AS alike,
        count_if(f.evidence = 'device') AS device_alone
    FROM fatigue_case AS f
    LEFT JOIN case_states AS s USING (case_id)
    WHERE f.hiveperiod BETWEEN $first AND $last
    GROUP BY f.dstrct_code, f.unitno
)
SELECT
    d.dstrct_code, d.unitno, d.eye_h::DOUBLE AS eye_h, d.eye_km::DOUBLE AS eye_km,
    d.moving_s::DOUBLE AS moving_s, d.blind_moving_s::DOUBLE AS blind_moving_s,
    d.no_data_s::DOUBLE AS no_data_s, d.day_s::DOUBLE AS day_s,
    d.unobserved_km::DOUBLE AS unobserved_km, d.unbelted_s::DOUBLE AS unbelted_s,
    coalesce(f.cases, 0)::BIGINT AS cases, coalesce(f.standing, 0)::BIGINT AS standing,
    coalesce(f.confirmed, 0)::BIGINT AS confirmed,
    coalesce(f.false_alarm, 0)::BIGINT AS false_alarm, coalesce(f.judged, 0)::BIGINT AS judged,
    coalesce(f.alike, 0)::BIGINT AS alike, coalesce(f.device_alone, 0)::BIGINT AS device_alone
FROM days AS d
LEFT JOIN found AS f USING (dstrct_code, unitno)
ORDER BY d.dstrct_code, d.unitno
