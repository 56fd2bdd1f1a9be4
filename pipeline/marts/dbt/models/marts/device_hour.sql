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
        -- the one gap that holds the hour whole
        any_value(g.from_s) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as gap_from_s,
        any_value(g.to_s) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as gap_to_s,
        any_value(g.awake_s) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as awake_s,
        any_value(g.boots) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as boots,
        any_value(g.engine_h) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as gap_engine_h
    from expected as e
    join pieces as g
        on g.deviceid = e.deviceid
        and g.from_s < epoch(e.hour_start) + 3600
        and g.to_s > epoch(e.hour_start)
    group by all
),
-- how things stood when a device was last heard of that has not been heard of since
last_words as (
    select
        m.deviceid,
        max(m.last_minute) as last_minute,
        arg_max(m.uploadbacklog_max, m.minute) as backlog,
        -- its last minute may be a few seconds long
        arg_max(m.off_s >= 0.5 * m.seconds, m.minute) as was_off,
        sum(m.net_down_s) / sum(m.seconds) as down_share,
        median(m.netrsrp_median) as rsrp,
        -- rows up to the hour's end: the device was awake when the next hour began
        bool_or(f.last_s % 3600 >= 3595) as awake
    from (
        select *, max(minute) over (partition by deviceid) as last_minute
        from {{ source('rows', 'unit_minute_rows') }}
    ) as m
    join (
        select deviceid, max(floor(epoch(last_ts)) - offset_s) as last_s from fragments group by all
    ) as f using (deviceid)
    where m.minute > m.last_minute - interval 10 minutes
    group by m.deviceid
),
-- a device's first rows say for how long it had been awake
first_words as (
    select
        deviceid,
        min(first_ts) as first_ts,
        min(floor(epoch(first_ts))) - arg_min(seqno_first, first_ts) as awake_from_s
    from fragments
    group by all
),
places as (
    select
        deviceid,
        to_timestamp(floor((epoch(minute) - offset_s) / 3600) * 3600 + offset_s) as at_hour,
        avg(lat) as lat,
        avg(lon) as lon
    from {{ source('rows', 'unit_minute_rows') }}
    join {{ source('lake', 'districts') }} using (dstrct_code)
    where lat is not null
    group by all
),
placed as (
    select
        e.hiveperiod,
        e.dstrct_code,
        e.deviceid,
        e.hour_start,
        o.key is not null as heard,
        w.deviceid is not null as silent,
        -- one that was switched off is silent for that
        heard or (silent and (w.awake or not w.was_off)) as telling,
        -- the hour of this day in which a silence began that has not ended
        min(case when silent and not heard then e.hour_start end)
            over (partition by e.hiveperiod, e.deviceid) as fell_silent,
        p.lat,
        p.lon
    from expected as e
    left join objects as o
        on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
    left join last_words as w on w.deviceid = e.deviceid and w.last_minute < e.hour_start
    asof left join places as p on p.deviceid = e.deviceid and p.at_hour <= e.hour_start
),
-- the four devices nearest to a silent one, in the hour in which its silence began: how many of them
-- were silent, too, and whether one of them fell silent with it. What began it explains all of it: of
-- what comes after, nothing is heard.
company as (
    select
        deviceid,
        hiveperiod,
        avg((not heard)::int) as silent_share,
        bool_or(not heard and fell_silent = hour_start) as together
    from (
        select s.deviceid, s.hiveperiod, s.hour_start, o.heard, o.fell_silent
        from placed as s
        join placed as o
            on o.dstrct_code = s.dstrct_code
            and o.hour_start = s.hour_start
            and o.deviceid <> s.deviceid
        where s.hour_start = s.fell_silent and o.telling
        qualify row_number() over (
            partition by s.deviceid, s.hour_start
            order by (o.lat - s.lat) ^ 2 + ((o.lon - s.lon) * cos(radians(s.lat))) ^ 2, o.deviceid
        ) <= 4
    )
    group by all
    having count(*) >= 2
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
        coalesce(o.status = 'failed', false) as failed,
        o.arrived_at,
        epoch(o.arrived_at) - epoch(e.hour_start + interval 1 hour) as arrival_delay_s,
        o.fwversion,
        coalesce(g.bounded, false) as bounded,
        coalesce(g.powered, false) as powered,
        g.gap_from_s,
        g.gap_to_s,
        g.awake_s,
        g.boots,
        g.gap_engine_h,
        -- rows up to the hour's end, or to where its file is damaged: the device was awake when they ended
        (g.gap_from_s - x.offset_s + 5) % 3600 <= 5 or coalesce(l.status <> 'ok', false) as gap_awake,
        x.offset_s,
        w.backlog,
        w.was_off,
        w.awake,
        w.down_share,
        w.rsrp,
        y.silent_share >= 0.5 or y.together as company,
        coalesce(
            f.first_ts >= e.hour_start + interval 1 hour
            and f.awake_from_s <= epoch(e.hour_start) + 3540,
            false
        ) as awake_before
    from expected as e
    left join objects as o
        on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
    left join observed as s on s.deviceid = e.deviceid and s.hour_start = e.hour_start
    left join gaps as g on g.deviceid = e.deviceid and g.hour_start = e.hour_start
    left join last_words as w on w.deviceid = e.deviceid and w.last_minute < e.hour_start
    left join company as y on y.deviceid = e.deviceid and y.hiveperiod = e.hiveperiod
    left join first_words as f on f.deviceid = e.deviceid
    left join {{ source('lake', 'districts') }} as x on x.dstrct_code = e.dstrct_code
    left join objects as l
        on l.district = e.dstrct_code
        and l.deviceid = e.deviceid
        and l.hour = strftime(timezone(e.zone, to_timestamp(g.gap_from_s - 1)), '%Y%m%d%H')
),
unheard as (
    select
        *,
        -- the hour after the last rows, in which the device began to go unheard
        gap_awake and epoch(hour_start) - gap_from_s < 3600 as first_unheard,
        -- seconds of the gap in which the device was awake, as far as its rows tell
        gap_to_s - awake_s
        + case when gap_awake then 3600 - (gap_from_s - offset_s) % 3600 else 0 end as awake_unheard_s
    from stated
),
reasoned as (
    select
        *,
        case
            when failed then 'our failure'
            when state <> 'missing' then ''
            when bounded and powered then 'counted on'
            when observed_s > 0 then 'rows elsewhere'
            when awake_before then 'awake before'
            when bounded and awake_s < epoch(hour_start) + 3540 then 'booted in it'
            when bounded and first_unheard then 'awake at its start'
            when bounded and boots = 1 and gap_engine_h is null then 'not read yet'
            when bounded and boots = 1 and gap_engine_h * 3600 <= awake_unheard_s + 183 then 'parked'
            when bounded and boots = 1 then 'engine went on'
            when bounded then 'several boots'
            when awake is null then 'never heard'
            when was_off and not awake then 'parked since'
            when company or down_share >= 0.5 then 'company'
            when backlog >= 2 then 'backlog'
            when not awake then 'ended'
            when company is null and rsrp < -116 then 'weak'
            when not company then 'alone'
            else 'nothing'
        end as reason
    from unheard
),
named as (
    select *, case
            when reason = '' then ''
            when reason = 'our failure' then 'our_failure'
            when reason in ('counted on', 'rows elsewhere', 'awake before', 'booted in it', 'awake at its start') then 'lost_on_device'
            when reason in ('engine went on', 'ended') then 'device_off'
            when reason in ('company', 'weak') then 'no_coverage'
            when reason in ('backlog', 'alone') then 'stuck_backlog'
            when reason = 'parked' then 'parked'
            else 'unknown' end as cause from reasoned
)
select *, case when cause = '' then null when cause = 'unknown' then 0.0 else 0.9 end as cause_confidence, reason as cause_evidence from named
