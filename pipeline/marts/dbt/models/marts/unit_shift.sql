-- One shift of a unit: the states' seconds add up to the shift, counters are summed over its pieces.
with
states as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        shift,
        max(deviceid) as deviceid,
        sum(seconds)::bigint as shift_s,
        coalesce(sum(seconds) filter (observed), 0)::bigint as observed_s,
        coalesce(sum(seconds) filter (state = 'moving'), 0)::bigint as moving_s,
        coalesce(sum(seconds) filter (state = 'idle'), 0)::bigint as idle_s,
        coalesce(sum(seconds) filter (state = 'off'), 0)::bigint as off_s,
        coalesce(sum(seconds) filter (state = 'unknown'), 0)::bigint as unknown_s,
        coalesce(sum(seconds) filter (state = 'off' and not observed), 0)::bigint as inferred_off_s,
        coalesce(sum(seconds) filter (not observed), 0)::bigint as no_data_s,
        coalesce(sum(seconds) filter (state = 'idle' and seconds > 180 and seconds <= 360), 0)::bigint
            as idle_3_6_s,
        coalesce(sum(seconds) filter (state = 'idle' and seconds > 360 and seconds <= 540), 0)::bigint
            as idle_6_9_s,
        coalesce(sum(seconds) filter (state = 'idle' and seconds > 540), 0)::bigint as idle_9_s,
        sum(km) as km,
        sum(engine_h) as engine_h,
        sum(fuel_l) as fuel_l,
        sum(km_observed) as km_observed,
        coalesce(sum(km) filter (not observed), 0) as unobserved_km,
        coalesce(sum(engine_h) filter (not observed and state = 'unknown'), 0) as unobserved_h,
        round(sum(trips))::bigint as trips,
        sum(payload_t) as payload_t,
        min(started_at) filter (observed) as first_ts,
        max(ended_at) filter (observed) as last_ts
    from {{ ref('state_interval') }}
    group by all
),
seen as (
    select
        s.hiveperiod,
        s.dstrct_code,
        s.shift,
        m.unitno,
        arg_max(nullif(m.unittype, ''), m.minute) as unittype,
        sum(m.cam_cabin_up_s)::bigint as cam_cabin_up_s,
        sum(m.cam_front_up_s)::bigint as cam_front_up_s,
        sum(m.gps_fix_s)::bigint as gps_fix_s,
        sum(m.eyes_valid_moving_s)::bigint as eyes_valid_moving_s,
        sum(m.blind_moving_s)::bigint as blind_moving_s,
        sum(m.metres * m.eyes_valid_moving_s / nullif(m.moving_s, 0)) / 1000 as eye_km,
        sum(m.unbelted_s)::bigint as unbelted_s,
        arg_max(m.EngineHours_last, m.minute) as engine_hours_last,
        arg_max(m.service_km, m.minute) as service_km_last,
        arg_max(m.FuelLevel_mean, m.minute) as fuel_pct_last,
        arg_max(m.fwversion, m.minute) as fwversion
    from {{ source('lake', 'shifts') }} as s
    join {{ source('rows', 'unit_minute_rows') }} as m
        on m.dstrct_code = s.dstrct_code
        and m.minute >= to_timestamp(s.from_s)
        and m.minute < to_timestamp(s.until_s)
    group by all
)
select
    a.hiveperiod,
    a.dstrct_code,
    a.unitno,
    a.shift,
    a.deviceid,
    coalesce(b.unittype, '') as unittype,
    a.* exclude (hiveperiod, dstrct_code, unitno, shift, deviceid),
    coalesce(b.cam_cabin_up_s, 0) as cam_cabin_up_s,
    coalesce(b.cam_front_up_s, 0) as cam_front_up_s,
    coalesce(b.gps_fix_s, 0) as gps_fix_s,
    coalesce(b.eyes_valid_moving_s, 0) as eyes_valid_moving_s,
    coalesce(b.blind_moving_s, 0) as blind_moving_s,
    coalesce(b.eye_km, 0) as eye_km,
    coalesce(b.unbelted_s, 0) as unbelted_s,
    b.engine_hours_last,
    b.service_km_last,
    b.fuel_pct_last,
    b.fwversion
from states as a
left join seen as b using (hiveperiod, dstrct_code, unitno, shift)
