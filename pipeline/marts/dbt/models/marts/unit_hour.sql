-- Every hour of a unit's production day: the states' seconds add up to as much of it as there has been.
with
shifts as (select * from {{ source('lake', 'shifts') }}),
offsets as (select * from {{ source('lake', 'districts') }}),
cut as (
    select
        i.*,
        x.offset_s,
        unnest(range(
            ((epoch(i.started_at)::bigint - x.offset_s) // 3600),
            ((epoch(i.ended_at)::bigint - x.offset_s + 3599) // 3600)
        )) as hour
    from {{ ref('state_interval') }} as i
    join offsets as x using (dstrct_code)
),
pieces as (
    -- an interval over a full hour is shared out by time
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        state,
        observed,
        hour * 3600 + offset_s as from_s,
        least(epoch(ended_at)::bigint, hour * 3600 + offset_s + 3600)
        - greatest(epoch(started_at)::bigint, hour * 3600 + offset_s) as piece_s,
        km * piece_s / seconds as km,
        engine_h * piece_s / seconds as engine_h,
        fuel_l * piece_s / seconds as fuel_l
    from cut
),
states as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        from_s,
        max(deviceid) as deviceid,
        sum(piece_s)::bigint as seconds,
        coalesce(sum(piece_s) filter (state = 'moving'), 0)::bigint as moving_s,
        coalesce(sum(piece_s) filter (state = 'idle'), 0)::bigint as idle_s,
        coalesce(sum(piece_s) filter (state = 'off'), 0)::bigint as off_s,
        coalesce(sum(piece_s) filter (state = 'off' and not observed), 0)::bigint as inferred_off_s,
        coalesce(sum(piece_s) filter (state = 'unknown'), 0)::bigint as unknown_s,
        coalesce(sum(piece_s) filter (not observed), 0)::bigint as no_data_s,
        sum(km) as km,
        sum(engine_h) as engine_h,
        sum(fuel_l) as fuel_l
    from pieces
    group by all
),
minutes as (
    select
        s.hiveperiod,
        s.dstrct_code,
        m.unitno,
        (epoch(m.minute)::bigint - x.offset_s) // 3600 * 3600 + x.offset_s as from_s,
        any_value(nullif(m.unittype, '')) as unittype,
        sum(m.cam_cabin_up_s)::bigint as cam_cabin_up_s,
        sum(m.cam_front_up_s)::bigint as cam_front_up_s,
        sum(m.gps_fix_s)::bigint as gps_fix_s,
        sum(m.eyes_valid_moving_s)::bigint as eyes_valid_moving_s,
        sum(m.blind_moving_s)::bigint as blind_moving_s,
        sum(m.unbelted_s)::bigint as unbelted_s,
        max(m.minute) as last_minute,
        arg_max(
            case greatest(m.moving_s, m.idle_s, m.off_s, m.unknown_s)
                when m.moving_s then 'moving'
                when m.idle_s then 'idle'
                when m.off_s then 'off'
                else 'unknown'
            end,
            m.minute
        ) as last_state,
        {%- for name in ['lat', 'lon', 'heading'] %}
        arg_max(m.{{ name }}, m.minute) filter (m.{{ name }} is not null) as {{ name }},
        {%- endfor %}
        arg_max(m.EngineHours_last, m.minute) as engine_hours_last,
        {%- for name in minute_signals() + ['speed_gap'] %}
        {%- set mean = 'm.' ~ name ~ '_mean' %}
        round(
            sum({{ mean }} * m.seconds) / sum(m.seconds) filter ({{ mean }} is not null),
            {{ digits(name) }}
        )::float as {{ name }}_mean,
        {%- if name != 'speed_gap' %}
        min(m.{{ name }}_min) as {{ name }}_min,
        {%- endif %}
        max(m.{{ name }}_max) as {{ name }}_max{{ ',' if not loop.last }}
        {%- endfor %}
    from shifts as s
    join {{ source('rows', 'unit_minute_rows') }} as m
        on m.dstrct_code = s.dstrct_code
        and m.minute >= to_timestamp(s.from_s)
        and m.minute < to_timestamp(s.until_s)
    join offsets as x on x.dstrct_code = s.dstrct_code
    group by s.hiveperiod, s.dstrct_code, m.unitno, 4
)
select
    a.hiveperiod,
    a.dstrct_code,
    a.unitno,
    a.deviceid,
    coalesce(b.unittype, '') as unittype,
    to_timestamp(a.from_s) as hour_start,
    a.* exclude (hiveperiod, dstrct_code, unitno, deviceid, from_s),
    {%- for name in [
        'cam_cabin_up_s', 'cam_front_up_s', 'gps_fix_s', 'eyes_valid_moving_s', 'blind_moving_s',
        'unbelted_s'
    ] %}
    coalesce(b.{{ name }}, 0) as {{ name }},
    {%- endfor %}
    b.* exclude (
        hiveperiod, dstrct_code, unitno, unittype, from_s, cam_cabin_up_s, cam_front_up_s, gps_fix_s,
        eyes_valid_moving_s, blind_moving_s, unbelted_s
    )
from states as a
left join minutes as b using (hiveperiod, dstrct_code, unitno, from_s)
