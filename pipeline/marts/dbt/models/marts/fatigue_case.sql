-- Evidence runs of one unit and operator, merged within 5 minutes, at most 30 minutes long.
with
seconds as (
    select
        s.hiveperiod,
        s.dstrct_code,
        s.unitno,
        s.deviceid,
        s.ts,
        s._src,
        s.operatorid,
        coalesce(nullif(s.operatorid, ''), s.unitno) as operator,
        s.speed,
        s.state = 'moving' as moving,
        e.closed,
        e.ts is not null as seen,
        -- a bridged NULL: one unseen second between two closed ones
        coalesce(
            e.closed,
            lag(e.closed) over w and lead(e.closed) over w and lag(e.ts) over w is not null
        ) as shut,
        e.eyecloseddur,
        e.eyeclosedfrac,
        lead(e.eyeclosedfrac) over w as next_frac,
        coalesce(lead(e.eyecloseddur) over w, 0) as next_dur,
        t.dmsalarm = 1 or t.fatiguelevel = 3 as alarm
    from {{ ref('stg_seconds') }} as s
    join {{ source('lake', 'telemetry') }} as t on t.deviceid = s.deviceid and t.ts = s.ts
    left join {{ ref('stg_eyes') }} as e on e.deviceid = s.deviceid and e.ts = s.ts
    window w as (partition by s.deviceid order by s.ts)
),
closures as (
    -- firmware that measures closures: the last value of a run and the share of the next second
    select
        * exclude (shut),
        eyecloseddur + coalesce(next_frac, 0) as closure_s,
        'closure' as evidence
    from seconds
    where
        moving and eyecloseddur > 0 and next_dur < eyecloseddur
        and eyecloseddur + coalesce(next_frac, 0) >= 1.5
),
islands as (
    select
        *,
        row_number() over (partition by deviceid order by ts)
        - row_number() over (partition by deviceid, shut order by ts) as island
    from seconds
    where eyecloseddur is null
),
snapshots as (
    select
        min(hiveperiod) as hiveperiod,
        dstrct_code,
        any_value(unitno) as unitno,
        deviceid,
        min(ts) as ts,
        any_value(_src) as _src,
        any_value(operatorid) as operatorid,
        any_value(operator) as operator,
        avg(speed) as speed,
        epoch(max(ts)) - epoch(min(ts)) + 1 as closure_s
    from islands
    where shut and moving
    group by dstrct_code, deviceid, island
    having epoch(max(ts)) - epoch(min(ts)) + 1 >= 4
),
shares as (
    select
        *,
        avg(closed::int) filter (seen) over five as share,
        count(*) filter (seen) over five as n
    from seconds
    where moving
    window five as (
        partition by deviceid, operator order by ts
        range between interval 299 seconds preceding and current row
    )
),
own as (
    select operator, avg(closed::int) as level, count(*) as n
    from seconds
    where seen and moving
    group by operator
),
fleet as (select median(level) as level from own),
drowsy as (
    select s.*
    from shares as s
    join own as o using (operator)
    cross join fleet as f
    where
        s.n >= 240
        and s.share >= 0.10
        -- lower 95 % limit; neighbouring seconds are alike, so ten of them count as one
        and s.share - 1.96 * sqrt(s.share * (1 - s.share) / (s.n / 10.0))
        >= case when o.n >= 36000 then o.level else coalesce(f.level, 0) end + 0.03
),
evidence as (
    select
        hiveperiod, dstrct_code, unitno, deviceid, operatorid, operator, ts, _src, speed,
        'microsleep' as kind, 1 as rank, evidence, closure_s, cast(null as double) as share
    from closures
    union all
    select
        hiveperiod, dstrct_code, unitno, deviceid, operatorid, operator, ts, _src, speed,
        'microsleep', 1, 'ear_snapshot', closure_s, null
    from snapshots
    union all
    select
        hiveperiod, dstrct_code, unitno, deviceid, operatorid, operator, ts, _src, speed,
        'drowsy', 2, 'closed_share', null, share
    from drowsy
    union all
    select
        hiveperiod, dstrct_code, unitno, deviceid, operatorid, operator, ts, _src, speed,
        'device_alarm', 3, 'device', null, null
    from seconds
    where alarm
),
marked as (
    select
        *,
        coalesce(ts - lag(ts) over w > interval 5 minutes, true) as fresh
    from evidence
    window w as (partition by deviceid, operator order by ts)
),
spells as (
    select
        *,
        count_if(fresh) over (partition by deviceid, operator order by ts rows unbounded preceding)
            as spell
    from marked
),
parts as (
    select
        *,
        floor(
            (epoch(ts) - epoch(min(ts) over (partition by deviceid, operator, spell))) / 1800
        ) as part
    from spells
)
select
    min(p.hiveperiod) as hiveperiod,
    p.dstrct_code,
    any_value(p.unitno) || '-' || strftime(min(p.ts), '%Y%m%dT%H%M%S') as case_id,
    any_value(p.unitno) as unitno,
    p.deviceid,
    any_value(p.operatorid) as operatorid,
    arg_min(p.kind, p.rank) as kind,
    arg_min(p.evidence, p.rank) as evidence,
    min(p.ts) as started_at,
    max(p.ts) + interval 1 second as ended_at,
    max(p.closure_s) as closure_s,
    max(p.share) as closed_share,
    max(p.speed) as speed_kmh,
    coalesce(sum(p.closure_s * p.speed / 3.6), 0) as metres_closed,
    case when metres_closed >= 50 then 3 when metres_closed >= 15 then 2 else 1 end as severity,
    bool_or(p.evidence = 'device') and bool_or(p.evidence <> 'device') as device_agrees,
    min(o.arrived_at) as arrived_at
from parts as p
left join {{ source('lake', 'objects') }} as o on o.id = p._src
group by p.dstrct_code, p.deviceid, p.operator, p.spell, p.part
