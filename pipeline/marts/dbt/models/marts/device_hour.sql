-- Every hour of the day for every device that is registered or delivered, up to now.
with
days as (select * from {{ source('lake', 'days') }}),
hours as (
    select
        d.hiveperiod,
        d.dstrct_code,
        d.zone,
        d.now,
        d.known_from,
        unnest(generate_series(d.start_ts, d.end_ts - interval 1 hour, interval 1 hour)) as hour_start
    from days as d
),
due as (
    select *, strftime(timezone(zone, hour_start), '%Y%m%d%H') as hour
    from hours
    -- nothing is expected of a district before its first delivered hour
    where hour_start < now and hour_start >= known_from
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
fragments as (
    select
        *,
        to_timestamp(floor((epoch(first_ts) - x.offset_s) / 3600) * 3600 + x.offset_s) as hour_start
    from {{ source('rows', 'unit_fragment_rows') }}
    join {{ source('lake', 'districts') }} as x using (dstrct_code)
),
observed as (
    select
        deviceid,
        hour_start,
        sum(floor(epoch(last_ts)) - floor(epoch(first_ts)) + 1)::bigint as observed_s
    from fragments
    group by all
),
pieces as (select * from {{ ref('stg_pieces') }} where not observed),
gaps as (
    select
        e.deviceid,
        e.hour_start,
        sum(
            least(g.to_s, epoch(e.hour_start) + 3600) - greatest(g.from_s, epoch(e.hour_start))
        ) filter (g.powered) as lost_powered_s,
        bool_or(
            g.proven_off
            and g.from_s <= epoch(e.hour_start)
            and g.to_s >= epoch(e.hour_start) + 3600
        ) as covered_by_off,
        bool_or(
            g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600
        ) as bounded,
        bool_or(g.powered) as powered,
        bool_or(g.rebooted) as rebooted
    from expected as e
    join pieces as g
        on g.deviceid = e.deviceid
        and g.from_s < epoch(e.hour_start) + 3600
        and g.to_s > epoch(e.hour_start)
    group by all
),
-- how things stood when the device was last heard of, before an hour that nothing follows
last_words as (
    select
        e.deviceid,
        e.hour_start,
        arg_max(m.uploadbacklog_max, m.minute) as backlog,
        arg_max(m.off_s >= 30, m.minute) as was_off,
        avg(m.net_down_s / m.seconds) filter (m.minute >= m.last_minute - interval 10 minutes)
            as down_share,
        min(m.netrsrp_median) filter (m.minute >= m.last_minute - interval 10 minutes) as rsrp
    from expected as e
    join (
        select *, max(minute) over (partition by deviceid) as last_minute
        from {{ source('rows', 'unit_minute_rows') }}
    ) as m
        on m.deviceid = e.deviceid
        and m.minute < e.hour_start
        and m.last_minute < e.hour_start
    group by all
),
company as (
    -- of the devices that delivered the hour before the silence, how many lack this one, too
    select e.dstrct_code, e.hour_start, avg((o.key is null)::int) as silent_share
    from expected as e
    left join objects as o
        on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
    group by all
),
stated as (
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
        o.fwversion,
        coalesce(g.bounded, false) as bounded,
        coalesce(g.powered, false) as powered,
        coalesce(g.rebooted, false) as rebooted,
        w.backlog,
        w.was_off,
        w.down_share,
        w.rsrp,
        y.silent_share
    from expected as e
    left join objects as o
        on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
    left join observed as s on s.deviceid = e.deviceid and s.hour_start = e.hour_start
    left join gaps as g on g.deviceid = e.deviceid and g.hour_start = e.hour_start
    left join last_words as w on w.deviceid = e.deviceid and w.hour_start = e.hour_start
    left join company as y on y.dstrct_code = e.dstrct_code and y.hour_start = e.hour_start
),
reasoned as (
    select
        *,
        case
            when state <> 'missing' then ''
            when bounded and powered then 'lost_on_device'
            when bounded and rebooted then 'device_off'
            when bounded then 'unknown'
            when down_share is null then 'unknown'
            when silent_share >= 0.5 or down_share >= 0.3 or rsrp < -116 then 'no_coverage'
            when backlog >= 2 then 'stuck_backlog'
            when was_off then 'parked'
            else 'unknown'
        end as cause
    from stated
)
select
    * exclude (bounded, powered, rebooted, backlog, was_off, down_share, rsrp, silent_share),
    case cause
        when '' then null
        when 'lost_on_device' then 0.95
        when 'device_off' then 0.9
        when 'no_coverage' then 0.8
        when 'stuck_backlog' then 0.7
        when 'parked' then 0.6
        else 0.0
    end as cause_confidence,
    case cause
        when 'lost_on_device' then 'the row counter went on, and later hours came'
        when 'device_off' then 'the device started anew after the gap, the counters had moved on'
        when 'no_coverage' then 'the connection was bad, or the district was silent'
        when 'stuck_backlog' then 'files waited on the device although it was connected'
        when 'parked' then 'last seen with the engine off'
        when 'unknown' then 'nothing that says why'
    end as cause_evidence
from reasoned
