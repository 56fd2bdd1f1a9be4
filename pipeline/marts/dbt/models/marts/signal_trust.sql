-- Which signals of a unit cannot be believed on a day: absent, or frozen for an hour in which the unit
-- moved for at least ten minutes.
{%- set vary = [
    'VehicleSpeed', 'gpsspeed', 'EngineSpeed', 'EngineLoad', 'FuelRate', 'BoostPressure',
    'EngineOilPressure', 'ExhaustGasTemp'
] %}
with
hours as (
    select
        m.hiveperiod,
        m.dstrct_code,
        m.unitno,
        m.deviceid,
        time_bucket(interval 1 hour, m.minute) as hour,
        count(*) as minutes,
        count_if(m.moving_s >= 30) as moving_minutes
        {%- for name in minute_signals() %},
        count(m.{{ name }}_mean) as {{ name }}_known
        {%- endfor %}
        {%- for name in vary %},
        count(m.{{ name }}_mean) filter (m.moving_s >= 30) >= 10
        and max(m.{{ name }}_max) filter (m.moving_s >= 30)
        = min(m.{{ name }}_min) filter (m.moving_s >= 30) as {{ name }}_frozen
        {%- endfor %}
    from {{ source('rows', 'unit_minute_rows') }} as m
    join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
    group by all
),
signals as (
    {%- for name in minute_signals() %}
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        '{{ name }}' as signal,
        sum(minutes)::bigint as minutes,
        sum(minutes - {{ name }}_known)::bigint as absent_minutes,
        {{ 'count_if(' ~ name ~ '_frozen)' if name in vary else 'cast(null as bigint)' }}
            as frozen_hours
    from hours
    group by all
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)
select
    *,
    coalesce(frozen_hours, 0) = 0 and absent_minutes < 0.5 * minutes as trusted
from signals
