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
        dstrct_code,
        deviceid,
        hour_start,
        sum(floor(epoch(last_ts)) - floor(epoch(first_ts)) + 1)::bigint as observed_s
    from fragments
    group by all
),
pieces as (select * from {{ ref('stg_pieces') }} where not observed),
gaps as (
    select
        e.dstrct_code,
        e.deviceid,
        e.hour_start,
        -- within one boot: from where the rows ended, or from the boot itself, whose first row is 1
        sum(greatest(
            0,
            least(g.to_s, epoch(e.hour_start) + 3600)
            - greatest(case when g.powered then g.from_s else g.awake_s + 1 end, epoch(e.hour_start))
        )) filter (g.powered or (g.boots > 0 and g.awake_s > g.from_s)) as lost_powered_s,
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
        any_value(struct_pack(
            from_s := g.from_s, to_s := g.to_s, awake_s := g.awake_s, boots := g.boots, engine_h := g.engine_h
        )) filter (g.from_s <= epoch(e.hour_start) and g.to_s >= epoch(e.hour_start) + 3600) as whole
    from expected as e
    join pieces as g
        on g.dstrct_code = e.dstrct_code
        and g.deviceid = e.deviceid
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
-- the eight devices nearest to a silent one, in the hour in which its silence began: how many of them
-- fell silent with it, and whether most of the four nearest were silent anyhow. What began it explains
-- all of it: of what comes after, nothing is heard.
company as (
    select
        deviceid,
        hiveperiod,
        count_if(not heard and fell_silent = hour_start) as together,
        avg((not heard)::int) filter (nth <= 4) >= 0.5 as quiet
    from (
        select
            s.deviceid,
            s.hiveperiod,
            s.hour_start,
            o.heard,
            o.fell_silent,
            row_number() over (
                partition by s.deviceid, s.hour_start
                order by (o.lat - s.lat) ^ 2 + ((o.lon - s.lon) * cos(radians(s.lat))) ^ 2, o.deviceid
            ) as nth
        from placed as s
        join placed as o
            on o.dstrct_code = s.dstrct_code
            and o.hour_start = s.hour_start
            and o.deviceid <> s.deviceid
        where s.hour_start = s.fell_silent and o.telling
    )
    where nth <= 8
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
        g.whole,
        -- rows up to an hour's end, or to where its file is damaged: the device was awake when they ended
        (g.whole.from_s - x.offset_s + 5) % 3600 <= 5 or coalesce(l.status <> 'ok', false) as broke_off,
        x.offset_s,
        w.backlog,
        w.was_off,
        w.awake,
        w.rsrp,
        y.together,
        y.quiet,
        coalesce(
            f.first_ts >= e.hour_start + interval 1 hour
            and f.awake_from_s <= epoch(e.hour_start) + 3540,
            false
        ) as awake_before
    from expected as e
    left join objects as o
        on o.district = e.dstrct_code and o.deviceid = e.deviceid and o.hour = e.hour
    left join observed as s
        on s.dstrct_code = e.dstrct_code and s.deviceid = e.deviceid and s.hour_start = e.hour_start
    left join gaps as g
        on g.dstrct_code = e.dstrct_code and g.deviceid = e.deviceid and g.hour_start = e.hour_start
    left join last_words as w on w.deviceid = e.deviceid and w.last_minute < e.hour_start
    left join company as y on y.deviceid = e.deviceid and y.hiveperiod = e.hiveperiod
    left join first_words as f on f.deviceid = e.deviceid
    left join {{ source('lake', 'districts') }} as x on x.dstrct_code = e.dstrct_code
    left join objects as l
        on l.district = e.dstrct_code
        and l.deviceid = e.deviceid
        and l.hour = strftime(timezone(e.zone, to_timestamp(g.whole.from_s - 1)), '%Y%m%d%H')
),
-- what a gap says that has ended: a reboot in it is dated by the row counter, the engine by its hours
weighed as (
    select
        *,
        whole.awake_s < epoch(hour_start) + 3540 as booted,
        broke_off and epoch(hour_start) - whole.from_s < 3600 as awake_at_start,
        whole.awake_s - whole.from_s as dark_s,
        -- more than the hours in which the device was awake, and unheard, can hold
        whole.engine_h * 3600 - (whole.to_s - whole.awake_s)
        - case when broke_off then 3600 - (whole.from_s - offset_s) % 3600 else 0 end as dark_engine_s
    from stated
),
reasoned as (
    select
        *,
        case
            when failed then 'not taken in'
            when state <> 'missing' then 'none'
            when bounded and powered then 'counted on'
            when observed_s > 0 then 'rows elsewhere'
            when awake_before then 'awake before'
            when bounded and booted then 'booted in it'
            when bounded and awake_at_start then 'awake at its start'
            when bounded and whole.boots = 1 and dark_engine_s <= 0 then 'stood still'
            when bounded and whole.boots = 1 and dark_engine_s >= 0.5 * dark_s then 'engine went on'
            when bounded then 'not read'
            when awake is null then 'nothing'
            -- asleep since: it may have woken, and moved, unheard
            when was_off and not awake then 'last seen parked'
            -- that its connection was down when it was last heard says little: that file came through since
            when together >= 2 then 'several'
            when together = 1 or quiet then 'another'
            when backlog >= 2 then 'waiting'
            when not awake then 'ended'
            when together is null and rsrp < -116 then 'weak'
            when together = 0 then 'alone'
            else 'nothing'
        end as reason
    from weighed
),
-- Confidence: how often a reason was right on simulated fleets that no accuracy is reported of, rounded
-- down; hours of one gap or silence are alike, so it rests on fewer than it seems. What never came up
-- there is given by judgement.
reasons (reason, cause, cause_confidence, cause_evidence) as (
    values
        ('none', '', null, null),
        ('not taken in', 'our_failure', 0.9, 'the file is here, and could not be taken in'),
        ('counted on', 'lost_on_device', 0.98, 'the row counter went on, and later hours came'),
        ('rows elsewhere', 'lost_on_device', 0.9, 'rows of it came with the file of another hour'),
        ('awake before', 'lost_on_device', 0.9, 'by the row counter of its first row the device was awake'),
        ('booted in it', 'lost_on_device', 0.9, 'by the row counter of later rows the device was awake again'),
        ('awake at its start', 'lost_on_device', 0.9, 'the device was awake when it began, and later hours came'),
        ('stood still', 'parked', 0.9, 'no power, and the engine ran no longer than it was awake'),
        ('engine went on', 'device_off', 0.98, 'no power, while the engine ran most of the time'),
        ('not read', 'unknown', 0.0, 'what the counters say leaves it open'),
        ('nothing', 'unknown', 0.0, 'nothing that says why'),
        ('last seen parked', 'unknown', 0.0, 'last seen parked: it may stand there still'),
        ('several', 'no_coverage', 0.93, 'several devices near it fell silent in the same hour'),
        ('another', 'no_coverage', 0.8, 'another device near it fell silent in the same hour'),
        ('waiting', 'stuck_backlog', 0.8, 'files were waiting on it when it was last heard'),
        ('ended', 'device_off', 0.5, 'rows ended within an hour, with the engine on'),
        ('weak', 'no_coverage', 0.5, 'its signal was weak when it was last heard'),
        ('alone', 'stuck_backlog', 0.8, 'devices near it were heard when it fell silent, and it was awake')
)
select
    * exclude (
        reason, failed, bounded, powered, whole, broke_off, offset_s, backlog, was_off, awake, rsrp,
        together, quiet, awake_before, booted, awake_at_start, dark_s, dark_engine_s
    )
from reasoned
join reasons using (reason)
