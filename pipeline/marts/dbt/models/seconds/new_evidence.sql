-- Runs of seconds that may mean something, by looser rules than those in force, so that thresholds can
-- be moved without the seconds. An hour tells of what ends in it or up to 5 s before it; what goes on
-- over its own end is told again, whole, by the next.
with
eyes as (
    select *, ts >= at_hour - interval 5 seconds as recent from {{ ref('stg_eyes') }}
),
shut as (
    -- a head that sinks after the eyes have closed hides nothing from the device; what it measured
    -- while the face was lost, or before the head was level, nobody saw
    select
        *,
        greatest(epoch(ts) + 1 - eyecloseddur, epoch(min(case when valid then ts end) over (
            partition by deviceid, at_hour, last_open_ts order by ts rows unbounded preceding
        ))) as since
    from eyes
    where seen and eyecloseddur > 0
    qualify
        count(*) filter (valid) over (
            partition by deviceid, at_hour, last_open_ts order by ts rows unbounded preceding
        ) > 0
),
closures as (
    -- firmware that measures closures: the last value of a run and the share of the next second
    select
        *,
        'closure' as kind,
        cast(null as double) as ratio,
        epoch(ts) + 1 - since + coalesce(next_frac, 0) as seconds,
        to_timestamp(floor(since)) as started_at,
        ts + interval 1 second as ended_at
    from shut
    where
        recent and moving and coalesce(next_dur, 0) < eyecloseddur
        and epoch(ts) + 1 - since + coalesce(next_frac, 0) >= 1
),
marks as (
    -- what stands in one second, by kind of run and how many seconds of it make a run
    select
        eyes.*,
        'eyes' as kind,
        r.ratio,
        case when means then 2 else 3 end as least_s,
        2.5 as bridge_s
    from eyes
    cross join (values (0.50), (0.55), (0.60), (0.65), (0.70)) as r(ratio)
    where valid and moving and eyecloseddur is null and eyeclosedfrac is null and opening < r.ratio
    union all
    select *, 'share', 0.8, 2, 1.5
    from eyes
    where valid and moving and eyecloseddur is null and eyeclosedfrac >= 0.8
    union all
    select *, 'yawn', null, 3, 1.5 from eyes where tracked and yawncount is null and mar >= 0.55
    union all
    -- the device counts those of the last ten minutes: another one, and they are three or more
    select *, 'yawn_count', null, 1, 1.5
    from eyes
    where here and tracked and yawncount >= 3 and yawncount > last_yawns
    union all
    select *, 'distraction', null, 4, 1.5
    from eyes
    where tracked and speed >= 10 and forward and (yaw_off > 20 or pitch_off > 20)
    union all
    select *, 'not_tracked', null, 5, 1.5
    from eyes
    where here and camera_up and not present and speed >= 10
    union all
    select *, 'device', null, 1, 5 from eyes where here and alarm
),
stepped as (
    select
        *,
        -- one second that nobody saw does not end a run; one with open eyes does
        coalesce(
            epoch(ts) - epoch(lag(ts) over w) > bridge_s
            or (
                epoch(ts) - epoch(lag(ts) over w) > 1.5
                and last_valid
                and last_ts > lag(ts) over w
            )
            or operator <> lag(operator) over w
            or dstrct_code <> lag(dstrct_code) over w,
            true
        ) as fresh
    from marks
    window w as (partition by deviceid, at_hour, kind, ratio order by ts)
),
runs as (
    select
        *,
        count_if(fresh) over (
            partition by deviceid, at_hour, kind, ratio order by ts rows unbounded preceding
        ) as run
    from stepped
),
spans as (
    select
        deviceid,
        kind,
        ratio,
        at_hour,
        arg_max(hiveperiod, ts) as hiveperiod,
        any_value(dstrct_code) as dstrct_code,
        any_value(unitno) as unitno,
        any_value(operatorid) as operatorid,
        any_value(operator) as operator,
        bool_or(means) as means,
        min(ts) as started_at,
        max(ts) + interval 1 second as ended_at,
        epoch(max(ts)) - epoch(min(ts)) + 1 as seconds,
        min(opening) as opening,
        any_value(open_ear) as open_ear,
        avg(speed) as speed_kmh,
        arg_max(_src, ts) as src,
        bool_or(recent) as recent,
        any_value(least_s) as least_s
    from runs
    group by deviceid, at_hour, kind, ratio, run
)
select
    hiveperiod,
    dstrct_code,
    at_hour as hour_start,
    unitno,
    deviceid,
    operatorid,
    operator,
    kind,
    ratio,
    means,
    started_at,
    ended_at,
    seconds,
    opening,
    open_ear,
    speed_kmh,
    src
from spans
where recent and seconds >= least_s
union all
select
    hiveperiod,
    dstrct_code,
    at_hour as hour_start,
    unitno,
    deviceid,
    operatorid,
    operator,
    kind,
    ratio,
    means,
    started_at,
    ended_at,
    seconds,
    opening,
    open_ear,
    speed,
    _src
from closures
