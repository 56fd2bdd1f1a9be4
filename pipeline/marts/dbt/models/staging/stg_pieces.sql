-- The timeline of every unit over the day and its neighbours: stretches with rows, and the gaps between
-- them. What a counter did between two readings belongs to the gaps between them, by their length; the
-- vehicle bus sleeps before the device does and wakes after it, so the readings may lie further apart
-- than the rows.
with
fragments as (
    select
        *,
        floor(epoch(first_ts))::bigint as from_s,
        floor(epoch(last_ts))::bigint + 1 as end_s,
        lag(floor(epoch(last_ts))::bigint + 1) over w as before_s,
        lag(seqno_last) over w as before_seqno,
        lag(bootcount) over w as before_boot,
        lag(state) over w as before_state,
        {%- for name in ['engine_h', 'km', 'fuel_l'] %}
        {{ name }}_first
        - last_value({{ name }}_last ignore nulls) over (w rows between unbounded preceding and 1 preceding)
            as {{ name }}_rise,
        count({{ name }}_first) over (w rows between unbounded preceding and 1 preceding)
            as {{ name }}_known,
        {%- endfor %}
        lead(floor(epoch(first_ts))::bigint) over w as next_s
    from {{ source('rows', 'unit_fragment_rows') }}
    window w as (partition by dstrct_code, unitno order by first_ts, deviceid)
),
gaps as (
    select *, greatest(0, coalesce(from_s - before_s, 0)) as gap_s from fragments
),
risen as (
    select
        *
        {%- for name in ['engine_h', 'km', 'fuel_l'] %},
        -- nobody knows as long as no reading follows: greatest(0, null) would be 0
        case
            when max({{ name }}_rise) over {{ name }}_run is not null
            then greatest(0, max({{ name }}_rise) over {{ name }}_run)
        end as {{ name }}_risen,
        sum(gap_s) over {{ name }}_run as {{ name }}_gap_s
        {%- endfor %}
    from gaps
    window
        {%- for name in ['engine_h', 'km', 'fuel_l'] %}
        {{ name }}_run as (partition by dstrct_code, unitno, {{ name }}_known){{ ',' if not loop.last }}
        {%- endfor %}
)
select
    dstrct_code,
    unitno,
    deviceid,
    operatorid,
    from_s,
    least(end_s, coalesce(next_s, end_s)) as to_s,
    state,
    true as observed,
    false as proven_off,
    false as powered,
    null as boots,
    null as awake_s,
    {%- for name in ['engine_h', 'km', 'fuel_l'] %}
    {{ name }}_last - {{ name }}_first
    + case when {{ name }}_gap_s = 0 then coalesce(greatest(0, {{ name }}_rise), 0) else 0 end
        as {{ name }},
    {%- endfor %}
    km_observed,
    trips,
    payload_t
from risen
union all
select
    dstrct_code,
    unitno,
    deviceid,
    '',
    before_s,
    from_s,
    case when off then 'off' else 'unknown' end,
    false,
    off,
    bootcount is not distinct from before_boot and seqno_first - before_seqno >= 0.9 * gap_s,
    bootcount - before_boot,
    -- the row counter starts with the device and counts its seconds
    case
        when bootcount = before_boot then before_s
        else greatest(before_s, from_s - seqno_first::bigint)
    end,
    {%- for name in ['engine_h', 'km', 'fuel_l'] %}
    {{ name }}_risen * gap_s / {{ name }}_gap_s,
    {%- endfor %}
    0,
    0,
    0
from (
    select
        *,
        -- 0.05 h and 0.125 km are the counters' own resolution: an engine that runs on may raise the hours
        -- by one step alone in 6 min, so a shorter gap is off only between seconds that are
        coalesce(
            engine_h_risen <= 0.051
            and km_risen <= 0.126
            and (gap_s > 360 or gap_s > 60 and state = 'off' and before_state = 'off'),
            false
        ) as off
    from risen
)
where gap_s > 0
