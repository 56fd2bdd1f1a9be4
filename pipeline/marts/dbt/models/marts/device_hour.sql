-- Every hour of the day for every device that is registered or delivered, up to now.
with
days as (select * from {{ source('lake', 'days') }}),
hours as (
    select
        d.hiveperiod,
        d.dstrct_code,
        d.zone,
        d.now,
        unnest(generate_series(d.start_ts, d.end_ts - interval 1 hour, interval 1 hour)) as hour_start
    from days as d
),
due as (
    select *, strftime(timezone(zone, hour_start), '%Y%m%d%H') as hour
    from hours
    where hour_start < now
),
objects as (
    -- of several versions the complete one speaks: a damaged one beside it only added rows
    select *
    from {{ source('lake', 'objects') }}
    qualify row_number() over (
        partition by district, deviceid, hour order by status = 'ok' desc, committed_at desc
    ) = 1
),
expected as (
    select h.*, v.deviceid, v.unitno, v.unittype, true as registered
    from due as h
    join {{ source('lake', 'devices') }} as v
        on v.dstrct_code = h.dstrct_code
        and h.hiveperiod >= v.valid_from
        and h.hiveperiod <= coalesce(v.valid_to, '9999-12-31')
    union all
    select h.*, o.deviceid, o.unitno, cast(null as varchar), false
    from due as h
    join objects as o on o.district = h.dstrct_code and o.hour = h.hour
    where not exists (
        select 1
        from {{ source('lake', 'devices') }} as v
        where
            v.deviceid = o.deviceid
            and v.dstrct_code = h.dstrct_code
            and h.hiveperiod >= v.valid_from
            and h.hiveperiod <= coalesce(v.valid_to, '9999-12-31')
    )
),
observed as (
    select
        deviceid,
        time_bucket(interval 1 hour, ts) as hour_start,
        count(distinct date_trunc('second', ts)) as observed_s
    from {{ ref('stg_seconds') }}
    group by all
),
gaps as (
    select
        e.deviceid,
        e.hour_start,
        sum(
            case when g.powered then
                epoch(least(g.to_ts, e.hour_start + interval 1 hour))
                - epoch(greatest(g.from_ts + interval 1 second, e.hour_start))
            end
        ) as lost_powered_s,
        bool_or(
            g.proven_off and g.from_ts < e.hour_start and g.to_ts >= e.hour_start + interval 1 hour
        ) as covered_by_off
    from expected as e
    join {{ ref('stg_gaps') }} as g
        on g.deviceid = e.deviceid
        and g.from_ts < e.hour_start + interval 1 hour
        and g.to_ts > e.hour_start
    group by all
)
select
    e.hiveperiod,
    e.dstrct_code,
    e.deviceid,
    coalesce(e.unitno, e.deviceid) as unitno,
    coalesce(e.unittype, '') as unittype,
    e.hour,
    e.hour_start,
    case
        when not e.registered then 'not_registered'
        when o.status in ('corrupt', 'failed') then 'corrupt'
        when o.status is not null and o.status <> 'ok' then 'partial'
        when
            o.status = 'ok'
            and coalesce(s.observed_s, 0)
            >= 0.99 * (coalesce(s.observed_s, 0) + coalesce(g.lost_powered_s, 0))
            then 'complete'
        when o.status = 'ok' then 'partial'
        when e.hour_start + interval 3 hours > e.now then 'pending'
        when g.covered_by_off then 'proven_off'
        else 'missing'
    end as state,
    coalesce(o.arrived_at > e.hour_start + interval 3 hours, false) as late,
    o.key,
    o.lines,
    o.accepted,
    o.duplicate,
    o.quarantined,
    o.blank,
    o.overlapped,
    coalesce(s.observed_s, 0) as observed_s,
    coalesce(s.observed_s, 0) + coalesce(g.lost_powered_s, 0) as powered_s,
    coalesce(g.lost_powered_s, 0) as seqno_lost,
    o.arrived_at,
    epoch(o.arrived_at) - epoch(e.hour_start + interval 1 hour) as arrival_delay_s,
    o.fwversion
from expected as e
left join objects as o
    on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
left join observed as s on s.deviceid = e.deviceid and s.hour_start = e.hour_start
left join gaps as g on g.deviceid = e.deviceid and g.hour_start = e.hour_start
