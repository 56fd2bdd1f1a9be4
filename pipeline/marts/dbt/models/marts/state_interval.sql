-- Every unit's production day from its known beginning to its known end, in intervals of one state.
with
shifts as (select * from {{ source('lake', 'shifts') }}),
pieces as (select * from {{ ref('stg_pieces') }}),
units as (
    select d.hiveperiod, d.dstrct_code, v.unitno, any_value(v.deviceid) as deviceid
    from shifts as d
    join {{ source('lake', 'devices') }} as v
        on v.dstrct_code = d.dstrct_code
        and d.hiveperiod >= v.valid_from
        and d.hiveperiod <= coalesce(v.valid_to, '9999-12-31')
    group by all
    union
    select d.hiveperiod, d.dstrct_code, p.unitno, null
    from shifts as d
    join pieces as p
        on p.dstrct_code = d.dstrct_code and p.observed and p.from_s < d.until_s and p.to_s > d.from_s
),
expected as (
    select hiveperiod, dstrct_code, unitno, max(deviceid) as deviceid from units group by all
),
edges as (
    select dstrct_code, unitno, min(from_s) as first_s, max(to_s) as last_s
    from pieces
    group by all
),
-- what lies between rows, and before and after all of them
whole as (
    select * from pieces
    union all by name
    select
        e.dstrct_code,
        e.unitno,
        cast(null as bigint) as from_s,
        x.first_s as to_s,
        'unknown' as state,
        false as observed,
        false as proven_off,
        false as powered
    from (select distinct dstrct_code, unitno from expected) as e
    left join edges as x using (dstrct_code, unitno)
    union all by name
    select
        e.dstrct_code,
        e.unitno,
        e.last_s as from_s,
        cast(null as bigint) as to_s,
        'unknown' as state,
        false as observed,
        false as proven_off,
        false as powered
    from edges as e
),
clipped as (
    select
        d.hiveperiod,
        d.dstrct_code,
        e.unitno,
        coalesce(w.deviceid, e.deviceid) as deviceid,
        w.state,
        w.observed,
        w.proven_off,
        coalesce(w.powered, false) as powered,
        greatest(coalesce(w.from_s, d.from_s), d.from_s) as from_s,
        least(coalesce(w.to_s, d.until_s), d.until_s) as to_s,
        d.shift,
        -- a piece over a border is shared out by time
        {%- for name in ['engine_h', 'km', 'fuel_l', 'km_observed', 'trips', 'payload_t'] %}
        w.{{ name }}
        * (least(w.to_s, d.until_s) - greatest(w.from_s, d.from_s)) / nullif(w.to_s - w.from_s, 0)
            as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from shifts as d
    join expected as e using (hiveperiod, dstrct_code)
    join whole as w
        on w.dstrct_code = e.dstrct_code
        and w.unitno = e.unitno
        and coalesce(w.from_s, d.from_s) < d.until_s
        and coalesce(w.to_s, d.until_s) > d.from_s
    where greatest(coalesce(w.from_s, d.from_s), d.from_s) < least(coalesce(w.to_s, d.until_s), d.until_s)
),
marked as (
    select
        *,
        state is distinct from lag(state) over w
        or observed is distinct from lag(observed) over w
        or shift is distinct from lag(shift) over w as fresh
    from clipped
    window w as (partition by hiveperiod, dstrct_code, unitno order by from_s)
),
numbered as (
    select
        *,
        count_if(fresh) over (
            partition by hiveperiod, dstrct_code, unitno order by from_s rows unbounded preceding
        ) as number
    from marked
)
select
    hiveperiod,
    dstrct_code,
    unitno,
    max(deviceid) as deviceid,
    any_value(shift) as shift,
    any_value(state) as state,
    any_value(observed) as observed,
    to_timestamp(min(from_s)) as started_at,
    to_timestamp(max(to_s)) as ended_at,
    (max(to_s) - min(from_s))::bigint as seconds,
    coalesce(sum(to_s - from_s) filter (powered), 0)::bigint as powered_s,
    sum(engine_h) as engine_h,
    sum(km) as km,
    sum(fuel_l) as fuel_l,
    coalesce(sum(km_observed), 0) as km_observed,
    coalesce(sum(trips), 0) as trips,
    coalesce(sum(payload_t), 0) as payload_t
from numbered
group by hiveperiod, dstrct_code, unitno, number
