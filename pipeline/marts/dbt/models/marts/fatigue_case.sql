-- Episodes of fatigue of one unit and operator, merged within 5 minutes, at most 30 minutes long.
with
episodes as (
    select
        *,
        case kind when 'microsleep' then 1 when 'drowsy' then 2 when 'yawning' then 3 else 4 end as rank
    from {{ ref('stg_episodes') }}
    where kind in ('microsleep', 'drowsy', 'yawning', 'device_alarm')
),
marked as (
    select
        *,
        coalesce(
            started_at - max(ended_at) over (w rows between unbounded preceding and 1 preceding)
            > interval 5 minutes,
            true
        ) as fresh
    from episodes
    window w as (partition by deviceid, operator order by started_at, kind)
),
spells as (
    select
        *,
        count_if(fresh) over before as spell,
        -- a drowsy spell's metres hold those of the closures in it
        coalesce(
            kind <> 'drowsy' and started_at < max(ended_at) filter (kind = 'drowsy') over before, false
        ) as within
    from marked
    window before as (
        partition by deviceid, operator order by started_at, kind rows unbounded preceding
    )
),
placed as (
    select
        *,
        min(started_at) over (partition by deviceid, operator, spell) as begun_at,
        epoch(started_at) - epoch(begun_at) as from_s,
        epoch(ended_at) - epoch(begun_at) as to_s
    from spells
),
parts as (
    -- what goes on over a case's end goes on in the next one, with its share of the metres; a closure
    -- is not cut
    select
        * replace (
            greatest(started_at, begun_at + to_minutes(30 * part)) as started_at,
            case when long then least(ended_at, begun_at + to_minutes(30 * part + 30)) else ended_at end
                as ended_at,
            case
                when long
                then metres_closed
                    * (least(to_s, 1800 * part + 1800) - greatest(from_s, 1800 * part)) / (to_s - from_s)
                else metres_closed
            end as metres_closed
        )
    from (
        select
            *,
            to_s - from_s > 60 as long,
            unnest(
                range(
                    floor(from_s / 1800)::bigint,
                    case when long then ceil(to_s / 1800) else floor(from_s / 1800) + 1 end::bigint
                )
            ) as part
        from placed
    )
),
cases as (
    select
        p.dstrct_code,
        arg_min(p.unitno, p.started_at) as unitno,
        p.deviceid,
        any_value(p.operatorid) as operatorid,
        arg_min(p.kind, p.rank) as kind,
        arg_min(p.evidence, p.rank) as evidence,
        min(p.started_at) as started_at,
        max(p.ended_at) as ended_at,
        count(*) as episodes,
        max(p.closure_s) as closure_s,
        max(p.closed_share) as closed_share,
        arg_max(p.closed_share_low, p.closed_share) as closed_share_low,
        arg_max(p.usual_share, p.closed_share) as usual_share,
        max(p.speed_kmh) as speed_kmh,
        sum(p.metres_closed) filter (not p.within) as metres_closed,
        bool_or(p.evidence = 'device') and bool_or(p.evidence <> 'device') as device_agrees,
        min(o.arrived_at) as arrived_at
    from parts as p
    left join {{ source('lake', 'objects') }} as o on o.id = p.src
    group by p.dstrct_code, p.deviceid, p.operator, p.spell, p.part
)
select
    s.hiveperiod,
    c.dstrct_code,
    c.unitno || '-' || strftime(c.started_at, '%Y%m%dT%H%M%S') as case_id,
    c.* exclude (dstrct_code),
    s.shift,
    least(
        3,
        case when c.metres_closed >= r.severe_m then 3 when c.metres_closed >= r.serious_m then 2 else 1 end
        -- who has closed them before in this shift does worse
        + (row_number() over (
            partition by s.hiveperiod, c.dstrct_code, s.shift, c.deviceid, c.operatorid
            order by c.started_at
        ) > 1)::bigint
    ) as severity
from cases as c
cross join {{ source('lake', 'thresholds') }} as r
join {{ source('lake', 'shifts') }} as s
    on s.dstrct_code = c.dstrct_code
    and epoch(c.started_at) >= s.from_s
    and epoch(c.started_at) < s.until_s
