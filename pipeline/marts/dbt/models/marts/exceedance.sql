-- Spells beyond a limit while the band's condition held for its hold time. Gaps under 30 s merge;
-- the first 10 s after the engine came on are not judged.
{%- set rules = [
    ('EngineSpeed>=400', 'EngineSpeed >= 400'),
    ('EngineSpeed<400', 'EngineSpeed < 400'),
    ('EngineSpeed>1000', 'EngineSpeed > 1000'),
    ('EngineLoad>80', 'EngineLoad > 80'),
    ('VehicleSpeed>=5', 'VehicleSpeed >= 5'),
    ('gpsfixtype>=2', 'gpsfixtype >= 2'),
] %}
with
seconds as (
    -- seconds for which each condition has held; NULL while it does not
    select
        *,
        {%- for name, test in rules %}
        case when {{ test }} then
            epoch(ts) - epoch(coalesce(
                max(case when ({{ test }}) is not true then ts end) over w,
                -- held since before the first row: nobody knows how long, so not yet
                min(ts) over w - interval 1 second
            )) - 1
        end as "{{ name }}",
        {%- endfor %}
        999999 as "always"
    from {{ source('lake', 'telemetry') }}
    window w as (partition by deviceid order by ts rows unbounded preceding)
),
beyond as (
    {%- for name in band_signals() %}
    select
        s.hiveperiod,
        s.dstrct_code,
        coalesce(s.unitno, s.deviceid) as unitno,
        s.deviceid,
        s.ts,
        b.signal,
        b.level,
        b.side,
        b.limit_value,
        b.condition,
        b.least_s,
        s.{{ name }} as value,
        s.DtcSpn as dtc_spn,
        s.DtcFmi as dtc_fmi,
        s.DtcSource as dtc_source
    from seconds as s
    join {{ source('lake', 'bands') }} as b on
        b.signal = '{{ name }}'
        and case b.side
            when 'high' then s.{{ name }} > b.limit_value else s.{{ name }} < b.limit_value
        end
        and case b.rule
            {%- for rule, _ in rules %}
            when '{{ rule }}' then s."{{ rule }}" >= b.hold_s
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
        select *, coalesce(ts - lag(ts) over w > interval 30 seconds, true) as fresh
        from beyond
        window w as (partition by deviceid, signal, level, side, condition order by ts)
    )
)
select
    min(hiveperiod) as hiveperiod,
    dstrct_code,
    arg_min(unitno, ts) as unitno,
    deviceid,
    signal,
    level,
    side,
    any_value(limit_value) as limit_value,
    min(ts) as started_at,
    max(ts) + interval 1 second as ended_at,
    epoch(max(ts)) - epoch(min(ts)) + 1 as duration_s,
    case when side = 'high' then max(value) else min(value) end as worst,
    condition,
    arg_max(dtc_spn, ts) filter (dtc_spn is not null) as dtc_spn,
    arg_max(dtc_fmi, ts) filter (dtc_fmi is not null) as dtc_fmi,
    arg_max(dtc_source, ts) filter (dtc_source is not null) as dtc_source
from spells
group by dstrct_code, deviceid, signal, level, side, condition, spell
having duration_s >= any_value(least_s)
