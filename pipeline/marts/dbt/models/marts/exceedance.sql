-- Spells beyond a limit, whole again over the hour's border. A spell belongs to the production day it
-- starts in.
with
spells as (
    select
        *,
        count_if(fresh) over (
            partition by deviceid, signal, level, side, condition
            order by started_at rows unbounded preceding
        ) as spell
    from (
        select
            *,
            coalesce(started_at - lag(ended_at) over w >= interval 30 seconds, true) as fresh
        from {{ source('rows', 'beyond_limit_rows') }}
        window w as (
            partition by deviceid, signal, level, side, condition order by started_at
        )
    )
),
whole as (
    select
        dstrct_code,
        arg_min(unitno, started_at) as unitno,
        deviceid,
        signal,
        level,
        side,
        any_value(limit_value) as limit_value,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        epoch(max(ended_at)) - epoch(min(started_at)) as duration_s,
        sum(beyond_s)::bigint as beyond_s,
        case when side = 'high' then max(worst) else min(worst) end as worst,
        condition,
        arg_max(dtc_spn, ended_at) filter (dtc_spn is not null) as dtc_spn,
        arg_max(dtc_fmi, ended_at) filter (dtc_fmi is not null) as dtc_fmi,
        arg_max(dtc_source, ended_at) filter (dtc_source is not null) as dtc_source
    from spells
    group by dstrct_code, deviceid, signal, level, side, condition, spell
    having sum(beyond_s) >= any_value(least_s)
)
select s.hiveperiod, w.*
from whole as w
join {{ source('lake', 'shifts') }} as s
    on s.dstrct_code = w.dstrct_code
    and epoch(w.started_at) >= s.from_s
    and epoch(w.started_at) < s.until_s
