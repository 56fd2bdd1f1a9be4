-- A unit's production day: its shifts, added up.
with
cases as (
    select hiveperiod, dstrct_code, unitno, count(*) as fatigue_cases
    from {{ ref('fatigue_case') }}
    group by all
),
found as (
    select hiveperiod, dstrct_code, unitno, count(*) as exceedances
    from {{ ref('exceedance') }}
    -- of the machine: how fast it is driven is another matter, and would drown them
    where signal <> 'VehicleSpeed'
    group by all
),
days as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        max(deviceid) as deviceid,
        max(unittype) as unittype,
        sum(shift_s)::bigint as day_s,
        {%- for name in [
            'observed_s', 'moving_s', 'idle_s', 'off_s', 'unknown_s', 'inferred_off_s', 'no_data_s',
            'idle_3_6_s', 'idle_6_9_s', 'idle_9_s', 'trips', 'cam_cabin_up_s', 'cam_front_up_s',
            'gps_fix_s', 'eyes_valid_moving_s', 'blind_moving_s', 'unbelted_s'
        ] %}
        sum({{ name }})::bigint as {{ name }},
        {%- endfor %}
        {%- for name in [
            'km', 'engine_h', 'fuel_l', 'km_observed', 'unobserved_km', 'unobserved_h', 'payload_t',
            'eye_km'
        ] %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        {%- for name in ['engine_hours_last', 'service_km_last', 'fuel_pct_last', 'fwversion'] %}
        arg_max({{ name }}, shift) filter ({{ name }} is not null) as {{ name }},
        {%- endfor %}
        min(first_ts) as first_ts,
        max(last_ts) as last_ts
    from {{ ref('unit_shift') }}
    group by hiveperiod, dstrct_code, unitno
)
select
    d.*,
    coalesce(f.exceedances, 0) as exceedances,
    coalesce(c.fatigue_cases, 0) as fatigue_cases
from days as d
left join found as f using (hiveperiod, dstrct_code, unitno)
left join cases as c using (hiveperiod, dstrct_code, unitno)
