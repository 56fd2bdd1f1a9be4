-- Seconds of every state add up to the day; km, hours and fuel are counter differences across gaps.
with
days as (select * from {{ source('lake', 'days') }}),
units as (
    select distinct hiveperiod, dstrct_code, unitno, deviceid
    from {{ ref('stg_seconds') }}
),
seconds as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        any_value(nullif(unittype, '')) as unittype,
        arg_max(deviceid, ts) as deviceid,
        count(*) as observed_s,
        count_if(state = 'moving') as moving_s,
        count_if(state = 'idle') as idle_s,
        count_if(state = 'off') as off_s,
        count_if(state = 'unknown') as unknown_s,
        count_if(cabin_up) as cam_cabin_up_s,
        count_if(front_up) as cam_front_up_s,
        count_if(gps_fix) as gps_fix_s,
        min(ts) as first_ts,
        max(ts) as last_ts,
        arg_max(EngineHours, ts) filter (EngineHours is not null) as engine_hours_last,
        arg_max(ServiceDistance, ts) filter (ServiceDistance is not null) as service_km_last,
        arg_max(FuelLevel, ts) filter (FuelLevel is not null) as fuel_pct_last,
        arg_max(fwversion, ts) filter (fwversion is not null) as fwversion
    from {{ ref('stg_seconds') }}
    group by all
),
counters as (
    -- from the last reading before the day, where its neighbour is visible
    select
        p.hiveperiod,
        p.dstrct_code,
        p.unitno,
        max(p.odometer_km) - coalesce(any_value(c.odometer_km), min(p.odometer_km)) as km,
        max(p.EngineHours) - coalesce(any_value(c.EngineHours), min(p.EngineHours)) as engine_h,
        max(p.TotalFuelUsed) - coalesce(any_value(c.TotalFuelUsed), min(p.TotalFuelUsed)) as fuel_l
    from {{ ref('stg_seconds') }} as p
    left join (
        select
            d.hiveperiod,
            x.deviceid,
            max(coalesce(x.HighResTotalDistance, x.TotalDistance)) as odometer_km,
            max(x.EngineHours) as EngineHours,
            max(x.TotalFuelUsed) as TotalFuelUsed
        from {{ source('lake', 'context') }} as x
        join days as d on d.dstrct_code = x.dstrct_code and x.ts < d.start_ts
        where x.ts >= d.start_ts - interval 25 hours
        group by all
    ) as c on c.deviceid = p.deviceid and c.hiveperiod = p.hiveperiod
    group by all
),
steps as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        odometer_km - lag(odometer_km) over w as km,
        greatest(loadcount - lag(loadcount) over w, 0) as trips,
        max(payload) over (
            partition by deviceid order by ts rows between 600 preceding and current row
        ) as load_t,
        ts - lag(ts) over w as step
    from {{ ref('stg_seconds') }}
    window w as (partition by deviceid order by ts)
),
work as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        sum(km) filter (step <= interval 10 seconds and km >= 0) as km_observed,
        sum(trips)::bigint as trips,
        sum(load_t) filter (trips > 0) as payload_t
    from steps
    group by all
),
gaps as (
    select
        u.hiveperiod,
        u.dstrct_code,
        u.unitno,
        sum(
            greatest(
                0,
                epoch(least(g.to_ts, d.known_until))
                - epoch(greatest(g.from_ts + interval 1 second, d.start_ts))
            )
        ) filter (g.proven_off) as inferred_off_s,
        sum(g.engine_h) filter (not g.proven_off and g.to_ts >= d.start_ts and g.to_ts < d.end_ts)
            as unobserved_h
    from units as u
    join days as d using (hiveperiod, dstrct_code)
    join {{ ref('stg_gaps') }} as g
        on g.deviceid = u.deviceid and g.from_ts < d.known_until and g.to_ts > d.start_ts
    group by all
),
eyes as (
    select e.hiveperiod, e.dstrct_code, e.unitno, count(*) as eyes_valid_moving_s
    from {{ ref('stg_eyes') }} as e
    join {{ ref('stg_seconds') }} as s on s.deviceid = e.deviceid and s.ts = e.ts
    where s.state = 'moving'
    group by all
),
found as (
    select hiveperiod, dstrct_code, unitno, count(*) as exceedances
    from {{ ref('exceedance') }}
    group by all
),
cases as (
    select hiveperiod, dstrct_code, unitno, count(*) as fatigue_cases
    from {{ ref('fatigue_case') }}
    group by all
)
select
    s.hiveperiod,
    s.dstrct_code,
    s.unitno,
    s.deviceid,
    coalesce(s.unittype, '') as unittype,
    round(epoch(d.known_until) - epoch(d.start_ts))::bigint as day_s,
    s.observed_s,
    s.moving_s,
    s.idle_s,
    s.off_s + round(coalesce(g.inferred_off_s, 0))::bigint as off_s,
    day_s - s.moving_s - s.idle_s - s.off_s - round(coalesce(g.inferred_off_s, 0))::bigint
        as unknown_s,
    round(coalesce(g.inferred_off_s, 0))::bigint as inferred_off_s,
    c.km,
    c.engine_h,
    c.fuel_l,
    w.km_observed,
    greatest(0, c.km - w.km_observed) as unobserved_km,
    coalesce(g.unobserved_h, 0) as unobserved_h,
    w.trips,
    w.payload_t,
    s.cam_cabin_up_s,
    s.cam_front_up_s,
    s.gps_fix_s,
    coalesce(e.eyes_valid_moving_s, 0) as eyes_valid_moving_s,
    s.moving_s - coalesce(e.eyes_valid_moving_s, 0) as blind_moving_s,
    day_s - s.observed_s as no_data_s,
    s.engine_hours_last,
    s.service_km_last,
    s.fuel_pct_last,
    s.first_ts,
    s.last_ts,
    s.fwversion,
    coalesce(f.exceedances, 0) as exceedances,
    coalesce(k.fatigue_cases, 0) as fatigue_cases
from seconds as s
join days as d using (hiveperiod, dstrct_code)
left join counters as c using (hiveperiod, dstrct_code, unitno)
left join work as w using (hiveperiod, dstrct_code, unitno)
left join gaps as g using (hiveperiod, dstrct_code, unitno)
left join eyes as e using (hiveperiod, dstrct_code, unitno)
left join found as f using (hiveperiod, dstrct_code, unitno)
left join cases as k using (hiveperiod, dstrct_code, unitno)
