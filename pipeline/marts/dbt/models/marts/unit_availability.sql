-- EU from what was observed; MA, PA and UA only where the downtime log covers the whole day.
with
edges as (
    select hiveperiod, dstrct_code, to_timestamp(min(from_s)) as from_ts,
        to_timestamp(max(until_s)) as until_ts
    from {{ source('lake', 'shifts') }}
    group by all
),
covered as (
    select
        e.hiveperiod,
        e.dstrct_code,
        sum(
            epoch(least(s.to_ts, e.until_ts)) - epoch(greatest(s.from_ts, e.from_ts))
        ) as covered_s
    from edges as e
    join {{ source('lake', 'downtime_spans') }} as s
        on s.dstrct_code = e.dstrct_code and s.from_ts < e.until_ts and s.to_ts > e.from_ts
    group by all
),
stood as (
    select
        e.hiveperiod,
        e.dstrct_code,
        l.unitno,
        {%- for kind, name in [('W', 'delay_s'), ('S', 'standby_s'), ('R', 'repair_s')] %}
        coalesce(sum(
            epoch(least(l.end_ts, e.until_ts)) - epoch(greatest(l.start_ts, e.from_ts))
        ) filter (l.kind = '{{ kind }}'), 0) as {{ name }},
        {%- endfor %}
        coalesce(sum(
            epoch(least(l.end_ts, e.until_ts)) - epoch(greatest(l.start_ts, e.from_ts))
        ) filter (l.kind = 'R' and not l.scheduled), 0) as breakdown_s,
        count_if(l.kind = 'R' and not l.scheduled and l.start_ts >= e.from_ts) as breakdowns
    from edges as e
    join {{ source('lake', 'downtime') }} as l
        on l.dstrct_code = e.dstrct_code and l.start_ts < e.until_ts and l.end_ts > e.from_ts
    group by all
),
days as (
    select
        u.hiveperiod,
        u.dstrct_code,
        u.unitno,
        u.unittype,
        u.day_s,
        u.day_s - u.unknown_s as known_s,
        u.moving_s + u.idle_s as engine_on_s,
        coalesce(c.covered_s >= u.day_s, false) as log_covers,
        coalesce(s.delay_s, 0) as delay_s,
        coalesce(s.standby_s, 0) as standby_s,
        coalesce(s.repair_s, 0) as repair_s,
        coalesce(s.breakdown_s, 0) as breakdown_s,
        coalesce(s.breakdowns, 0) as breakdowns
    from {{ ref('unit_day') }} as u
    left join covered as c using (hiveperiod, dstrct_code)
    left join stood as s using (hiveperiod, dstrct_code, unitno)
)
select
    hiveperiod,
    dstrct_code,
    unitno,
    unittype,
    day_s,
    known_s,
    engine_on_s,
    engine_on_s / nullif(known_s, 0) as eu,
    log_covers,
    {%- for name in ['delay_s', 'standby_s', 'repair_s', 'breakdown_s', 'breakdowns'] %}
    case when log_covers then {{ name }} end as {{ name }},
    {%- endfor %}
    case when log_covers then day_s - standby_s - repair_s end as work_s,
    case when log_covers then (day_s - repair_s) / day_s end as pa,
    case when log_covers then (day_s - standby_s - repair_s) / nullif(day_s - standby_s, 0) end as ma,
    case when log_covers then (day_s - standby_s - repair_s) / nullif(day_s - repair_s, 0) end as ua
from days
