-- Stretches of one state without a hole, cut at the hour, with the counters at both ends.
with
marked as (
    select
        *,
        coalesce(
            ts - lag(ts) over w > interval 1500 milliseconds
            or state <> lag(state) over w
            or operatorid <> lag(operatorid) over w
            or dstrct_code <> lag(dstrct_code) over w
            or bootcount is distinct from lag(bootcount) over w
            or hour_start <> lag(hour_start) over w,
            true
        ) as fresh,
        odometer_km - lag(odometer_km) over w as step_km,
        greatest(loadcount - lag(loadcount) over w, 0) as loads,
        max(payload) over (
            partition by deviceid order by ts
            range between interval 10 minutes preceding and current row
        ) as load_t
    from {{ ref('stg_seconds') }}
    window w as (partition by deviceid order by ts)
),
numbered as (
    select
        *,
        count_if(fresh) over (partition by deviceid order by ts rows unbounded preceding) as number
    from marked
)
select
    any_value(hiveperiod) as hiveperiod,
    any_value(dstrct_code) as dstrct_code,
    any_value(unitno) as unitno,
    deviceid,
    any_value(operatorid) as operatorid,
    any_value(state) as state,
    min(ts) as first_ts,
    max(ts) as last_ts,
    count(*) as seconds,
    arg_min(EngineHours, ts) as engine_h_first,
    arg_max(EngineHours, ts) as engine_h_last,
    arg_min(odometer_km, ts) as km_first,
    arg_max(odometer_km, ts) as km_last,
    arg_min(TotalFuelUsed, ts) as fuel_l_first,
    arg_max(TotalFuelUsed, ts) as fuel_l_last,
    min(seqno) as seqno_first,
    max(seqno) as seqno_last,
    any_value(bootcount) as bootcount,
    coalesce(sum(step_km) filter (not fresh and step_km >= 0), 0) as km_observed,
    coalesce(sum(loads), 0)::bigint as trips,
    coalesce(sum(load_t) filter (loads > 0), 0) as payload_t
from numbered
where own
group by deviceid, number
