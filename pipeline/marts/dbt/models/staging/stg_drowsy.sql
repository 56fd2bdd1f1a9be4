-- Minutes at whose end the eyes were closed for too large a share of five minutes, which begin with the
-- first ten seconds that were seen whole; in spells of half an hour at most. The interval is a bootstrap
-- over blocks of ten seconds, since neighbouring seconds are alike; it draws the same blocks at every
-- build.
with
rules as (select * from {{ source('lake', 'thresholds') }}),
minutes as (
    select
        *,
        coalesce(nullif(operatorid, ''), unitno) as operator
    from {{ source('rows', 'unit_minute_rows') }}
    where eyes_valid_moving_s > 0
),
windows as (
    select
        * exclude (valid_by_10s, closed_by_10s),
        sum(eyes_valid_moving_s) over five as valid_s,
        sum(eyes_closed_s) over five as closed_s
    from minutes
    window five as (
        partition by deviceid, operator order by minute
        range between interval 4 minutes preceding and current row
    )
),
bad as (
    select w.*, w.closed_s / w.valid_s as share
    from windows as w
    cross join rules as r
    where w.valid_s >= r.drowsy_valid_s and w.closed_s >= r.drowsy_share * w.valid_s
),
-- their blocks are put together after the others are gone: they are few, lists are not
fives as (
    select
        b.deviceid,
        b.operator,
        b.minute,
        flatten(list(m.valid_by_10s order by m.minute)) as valid_blocks,
        flatten(list(m.closed_by_10s order by m.minute)) as closed_blocks,
        list(m.minute order by m.minute) as minutes
    from bad as b
    cross join range(5) as t (back)
    join minutes as m
        on m.deviceid = b.deviceid and m.operator = b.operator and m.minute = b.minute - to_minutes(t.back)
    group by all
),
candidates as (
    select
        b.*,
        f.valid_blocks,
        f.closed_blocks,
        f.minutes,
        len(f.valid_blocks) as blocks,
        list_position(f.valid_blocks, list_max(f.valid_blocks)) as first_block
    from bad as b
    join fives as f using (deviceid, operator, minute)
),
drawn as (
    select
        *,
        list_transform(
            range(200),
            lambda b: list_transform(
                range(blocks), lambda j: 1 + (hash(b * 1009 + j) % blocks::ubigint)::bigint
            )
        ) as draws
    from candidates
),
sampled as (
    select
        * exclude (draws),
        list_aggregate(
            list_transform(
                draws,
                lambda d: list_sum(list_transform(d, lambda i: closed_blocks[i]))
                / nullif(list_sum(list_transform(d, lambda i: valid_blocks[i])), 0)
            ),
            'quantile_cont', 0.025
        ) as share_low
    from drawn
),
usual as (
    -- an operator's own share of closed seconds, from at least ten earlier observed hours
    select d.hiveperiod, e.dstrct_code, e.operator, sum(e.closed_moving_s) / sum(e.valid_moving_s) as share
    from {{ source('lake', 'days') }} as d
    join {{ source('lake', 'eye_days') }} as e
        on e.dstrct_code = d.dstrct_code
        and e.hiveperiod < d.hiveperiod
        and e.hiveperiod >= strftime(d.hiveperiod::date - 14, '%Y-%m-%d')
    group by all
    having sum(e.valid_moving_s) >= 36000
),
hours as (
    select
        dstrct_code,
        operator,
        hour_start,
        sum(closed_moving_s) over seen / nullif(sum(valid_moving_s) over seen, 0) as share
    from {{ source('rows', 'eye_hour_rows') }}
    window seen as (
        partition by dstrct_code, operator order by hour_start
        range between interval 23 hours preceding and current row
    )
),
fleet as (
    -- what was usual in the district over the 24 hours before: a longer time would depend on how many
    -- days happen to be built together
    select h.dstrct_code, t.hour_start, median(h.share) as share
    from (select distinct dstrct_code, hour_start from hours) as t
    join hours as h
        on h.dstrct_code = t.dstrct_code
        and h.hour_start <= t.hour_start
        and h.hour_start > t.hour_start - interval 24 hours
    group by all
),
found as (
    select
        s.*,
        -- six blocks a minute
        s.minutes[1 + (s.first_block - 1) // 6] + to_seconds(10 * ((s.first_block - 1) % 6)) as started_at,
        s.minute + interval 1 minute as ended_at,
        coalesce(u.share, f.share, 0) as usual_share
    from sampled as s
    cross join rules as r
    left join usual as u using (hiveperiod, dstrct_code, operator)
    left join {{ source('lake', 'districts') }} as x using (dstrct_code)
    left join fleet as f
        on f.dstrct_code = s.dstrct_code
        and f.hour_start
        = to_timestamp(floor((epoch(s.minute) - x.offset_s) / 3600) * 3600 + x.offset_s)
    where s.share_low >= coalesce(u.share, f.share, 0) + r.drowsy_margin
),
spells as (
    select
        *,
        count_if(fresh) over (
            partition by deviceid, operator order by minute rows unbounded preceding
        ) as spell
    from (
        select *, coalesce(started_at > lag(ended_at) over w, true) as fresh
        from found
        window w as (partition by deviceid, operator order by minute)
    )
),
whole as (
    select
        *,
        min(started_at) over of_spell as begun_at,
        max(ended_at) over of_spell as over_at
    from spells
    window of_spell as (partition by deviceid, operator, spell)
),
told as (
    -- cut where a case is: each half hour has its own share, metres and speed
    select
        dstrct_code,
        any_value(unitno) as unitno,
        deviceid,
        any_value(operatorid) as operatorid,
        operator,
        spell,
        begun_at,
        floor((epoch(ended_at) - epoch(begun_at) - 1) / 1800)::bigint as part,
        begun_at + to_minutes(30 * part) as started_at,
        least(any_value(over_at), begun_at + to_minutes(30 * part + 30)) as ended_at,
        max(share) as share,
        arg_max(share_low, share) as share_low,
        arg_max(usual_share, share) as usual_share
    from whole
    group by dstrct_code, deviceid, operator, spell, begun_at, part
),
seen as (
    -- windows overlap: each of their minutes counts once, where it ends
    select *, floor((epoch(minute) + 59 - epoch(begun_at)) / 1800)::bigint as part
    from (
        select distinct deviceid, operator, spell, begun_at, unnest(minutes) as minute from whole
    )
),
driven as (
    select
        s.deviceid,
        s.operator,
        s.spell,
        s.part,
        sum(m.eyes_closed_s) as closed_s,
        sum(m.eyes_closed_s * m.metres / m.moving_s) as metres_closed
    from seen as s
    join minutes as m using (deviceid, operator, minute)
    group by all
)
select
    t.* exclude (spell, begun_at, part),
    d.metres_closed,
    -- while they were closed
    3.6 * d.metres_closed / nullif(d.closed_s, 0) as speed_kmh
from told as t
left join driven as d using (deviceid, operator, spell, part)
