-- Seconds beyond a limit while the band's condition held for its hold time, joined where less than 30 s
-- lie between, cut at the hour. The first 10 s after the engine came on are not judged.
with
odd as (
    -- most seconds are beyond no limit at all: they need not be asked for each
    select
        s.hiveperiod,
        s.dstrct_code,
        s.unitno,
        s.deviceid,
        s.ts,
        s.hour_start,
        {%- for rule in conditions() %}
        s."{{ rule }}",
        {%- endfor %}
        {%- for name in bands() | map(attribute=0) | unique %}
        t.{{ name }},
        {%- endfor %}
        t.DtcSpn,
        t.DtcFmi,
        t.DtcSource
    from {{ source('lake', 'telemetry') }} as t
    join {{ ref('stg_seconds') }} as s using (deviceid, ts)
    cross join {{ source('lake', 'limits') }} as l
    where
        s.own
        and (
            {%- for signal, rule in bands() %}
            {{ 'or ' if not loop.first }}{{ 's."' ~ rule ~ '" >= 0 and ' if rule }}(
                t.{{ signal }} < l."{{ signal }} {{ rule }} low"
                or t.{{ signal }} > l."{{ signal }} {{ rule }} high"
            )
            {%- endfor %}
        )
),
beyond as (
    {%- for name in bands() | map(attribute=0) | unique %}
    select
        o.hiveperiod,
        o.dstrct_code,
        o.unitno,
        o.deviceid,
        o.ts,
        o.hour_start,
        b.signal,
        b.level,
        b.side,
        b.limit_value,
        b.condition,
        b.least_s,
        o.{{ name }} as value,
        o.DtcSpn as dtc_spn,
        o.DtcFmi as dtc_fmi,
        o.DtcSource as dtc_source
    from odd as o
    join {{ source('lake', 'bands') }} as b on
        b.signal = '{{ name }}'
        and case b.side
            when 'high' then o.{{ name }} > b.limit_value else o.{{ name }} < b.limit_value
        end
        and case b.rule
            {%- for rule in conditions() %}
            when '{{ rule }}' then o."{{ rule }}" >= b.hold_s
            {%- endfor %}
            else true
        end
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),
spells as (
    select
        *,
        count_if(fresh) over (
            partition by deviceid, signal, level, side, condition
            order by ts rows unbounded preceding
        ) as spell
    from (
        select
            *,
            coalesce(
                ts - lag(ts) over w > interval 30 seconds or hour_start <> lag(hour_start) over w,
                true
            ) as fresh
        from beyond
        window w as (partition by deviceid, signal, level, side, condition order by ts)
    )
)
select
    any_value(hiveperiod) as hiveperiod,
    dstrct_code,
    arg_min(unitno, ts) as unitno,
    deviceid,
    signal,
    level,
    side,
    any_value(limit_value) as limit_value,
    condition,
    any_value(least_s) as least_s,
    min(ts) as started_at,
    max(ts) + interval 1 second as ended_at,
    count(*) as beyond_s,
    case when side = 'high' then max(value) else min(value) end as worst,
    arg_max(dtc_spn, ts) filter (dtc_spn is not null) as dtc_spn,
    arg_max(dtc_fmi, ts) filter (dtc_fmi is not null) as dtc_fmi,
    arg_max(dtc_source, ts) filter (dtc_source is not null) as dtc_source
from spells
group by dstrct_code, deviceid, signal, level, side, condition, spell
