-- Seconds without a row. A gap over which no counter moved is proven off; one over which they moved
-- is unobserved work. Bounded by the neighbouring days' rows where those are visible.
with
points as (
    select deviceid, unitno, dstrct_code, ts, EngineHours, odometer_km, seqno, bootcount
    from {{ ref('stg_seconds') }}
    union all
    select
        deviceid,
        coalesce(unitno, deviceid),
        dstrct_code,
        ts,
        EngineHours,
        coalesce(HighResTotalDistance, TotalDistance),
        seqno,
        bootcount
    from {{ source('lake', 'context') }}
),
steps as (
    select
        deviceid,
        unitno,
        dstrct_code,
        lag(ts) over w as from_ts,
        ts as to_ts,
        -- the vehicle bus sleeps before the device does and wakes after it: take the readings nearest
        -- to the gap, not those of the rows beside it
        first_value(EngineHours ignore nulls) over behind
        - last_value(EngineHours ignore nulls) over before as engine_h,
        first_value(odometer_km ignore nulls) over behind
        - last_value(odometer_km ignore nulls) over before as km,
        seqno - lag(seqno) over w as seqno_step,
        bootcount is not distinct from lag(bootcount) over w as same_boot
    from points
    window
        w as (partition by deviceid order by ts),
        before as (
            partition by deviceid order by ts
            rows between unbounded preceding and 1 preceding
        ),
        behind as (
            partition by deviceid order by ts
            rows between current row and unbounded following
        )
)
select
    *,
    epoch(to_ts) - epoch(from_ts) - 1 as missing_s,
    -- 0.05 h and 0.125 km are the counters' own resolution
    coalesce(engine_h <= 0.051 and km <= 0.126, false) and missing_s > 60 as proven_off,
    coalesce(same_boot and seqno_step >= 0.9 * missing_s, false) as powered
from steps
where to_ts - from_ts > interval 1500 milliseconds
