-- Runs that meet the thresholds in force. Closures by the device's own measure come first, then the
-- closed share of its frames, then the eye aspect ratio by the rule for its sampling.
with
rules as (select * from {{ source('lake', 'thresholds') }}),
told as (
    select
        *,
        coalesce(started_at >= max(ended_at) over before, true) as fresh
    from {{ source('rows', 'fatigue_evidence_rows') }}
    window before as (
        partition by deviceid, operator, kind, ratio order by started_at, ended_at
        rows between unbounded preceding and 1 preceding
    )
),
runs as (
    -- what lasts over the full hour is told by both hours, each by its own level of open eyes
    select * exclude (fresh, run)
    from (
        select
            *,
            count(*) filter (fresh) over (
                partition by deviceid, operator, kind, ratio order by started_at, ended_at
                rows unbounded preceding
            ) as run
        from told
    )
    qualify row_number() over (
        partition by deviceid, operator, kind, ratio, run order by seconds desc, started_at, hour_start
    ) = 1
),
closures as (
    select
        e.*,
        'microsleep' as episode,
        case e.kind
            when 'closure' then 'closure'
            when 'share' then 'closed_frac'
            else case when e.means then 'ear_mean' else 'ear_snapshot' end
        end as basis
    from runs as e
    cross join rules as r
    where
        case e.kind
            when 'closure' then e.seconds >= r.closure_s
            when 'share' then e.seconds >= r.mean_s
            when 'eyes' then
                e.ratio = r.closed_ratio
                and e.seconds >= case when e.means then r.mean_s else r.snapshot_s end
            else false
        end
),
yawns as (
    select *, 'yawning' as episode, 'mouth' as basis
    from (
        select
            *,
            count(*) over (
                partition by deviceid, operator, kind order by started_at
                range between interval 10 minutes preceding and current row
            ) as together
        from runs
        where kind in ('yawn', 'yawn_count')
    )
    where kind = 'yawn_count' or together >= 3
),
looks as (
    select *, 'distraction' as episode, 'head' as basis from runs where kind = 'distraction'
),
alarms as (
    select *, 'device_alarm' as episode, 'device' as basis from runs where kind = 'device'
),
absences as (
    -- a face that is gone stays gone over the hour's border
    select
        dstrct_code,
        any_value(unitno) as unitno,
        deviceid,
        any_value(operatorid) as operatorid,
        any_value(operator) as operator,
        'not_tracked' as episode,
        'head' as basis,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        epoch(max(ended_at)) - epoch(min(started_at)) as seconds,
        avg(speed_kmh) as speed_kmh,
        arg_max(src, ended_at) as src
    from (
        select
            *,
            count_if(fresh) over (
                partition by deviceid order by started_at rows unbounded preceding
            ) as absence
        from (
            select
                *,
                coalesce(started_at - lag(ended_at) over w > interval 1 second, true) as fresh
            from runs
            where kind = 'not_tracked'
            window w as (partition by deviceid order by started_at)
        )
    )
    group by dstrct_code, deviceid, absence
    having epoch(max(ended_at)) - epoch(min(started_at)) >= 60
),
found as (
    select * exclude (together) from yawns
    union all by name
    select * from closures
    union all by name
    select * from looks
    union all by name
    select * from alarms
    union all by name
    select * from absences
)
select
    dstrct_code,
    unitno,
    deviceid,
    operatorid,
    operator,
    episode as kind,
    basis as evidence,
    started_at,
    ended_at,
    case when episode = 'microsleep' then seconds end as closure_s,
    cast(null as double) as closed_share,
    cast(null as double) as closed_share_low,
    cast(null as double) as usual_share,
    opening,
    open_ear,
    speed_kmh,
    -- an alarm, a yawn or a look away measures no closed eyes: that is not 0 m
    case when episode = 'microsleep' then seconds * speed_kmh / 3.6 end as metres_closed,
    src
from found
union all
select
    dstrct_code, unitno, deviceid, operatorid, operator, 'drowsy', 'closed_share', started_at,
    ended_at, null, share, share_low, usual_share, null, null, speed_kmh, metres_closed, null
from {{ ref('stg_drowsy') }}
