-- Which signals of a unit cannot be believed on a day: frozen for an hour in which the unit moved for at
-- least ten minutes; a speed that lies far from the other; absent. What is absent is told from its
-- sisters, the other units of its model in the district: where none of them delivers the signal it is
-- not fitted, and where most do it is missing.
{%- set vary = [
    'VehicleSpeed', 'gpsspeed', 'EngineSpeed', 'EngineLoad', 'FuelRate', 'BoostPressure',
    'EngineOilPressure', 'ExhaustGasTemp'
] %}
{#- On every device, whatever the vehicle; due also while the engine is off, but for the eyes. #}
{%- set always = ['gpsspeed', 'gpsnumsat', 'gpshdop', 'cputemp'] %}
{%- set device = always + ['ear'] %}
with
minutes as (
    select
        m.*,
        m.moving_s >= 30 as moving,
        m.moving_s + m.idle_s >= 30 as running
    from {{ source('rows', 'unit_minute_rows') }} as m
    join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
),
hours as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        time_bucket(interval 1 hour, minute) as hour,
        count(*) as minutes,
        count_if(running) as running_minutes,
        sum(speed_gap_s) filter (moving) as gap_s,
        sum(speed_gap_s * speed_gap_mean) filter (moving) as gap_sum,
        sum(speed_gap_s) filter (moving and gpsnumsat_mean is not null) as satellites_s,
        sum(speed_gap_s * gpsnumsat_mean) filter (moving) as satellites_sum
        {%- for name in minute_signals() %},
        count({{ name }}_mean){{ '' if name in always else ' filter (running)' }} as {{ name }}_known
        {%- endfor %}
        {%- for name in vary %},
        count({{ name }}_mean) filter (moving) >= 10
        and max({{ name }}_max) filter (moving) = min({{ name }}_min) filter (moving)
            as {{ name }}_frozen
        {%- endfor %}
    from minutes
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
        sum({{ 'minutes' if name in always else 'running_minutes' }})::bigint as minutes,
        sum({{ name }}_known)::bigint as known,
        {{ 'count_if(' ~ name ~ '_frozen)' if name in vary else 'cast(null as bigint)' }}
            as frozen_hours,
        {{ name in device }} as of_device
    from hours
    group by all
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),
gaps as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        coalesce(sum(gap_s), 0)::bigint as gap_s,
        -- a mean of less than ten minutes says little
        case when sum(gap_s) >= 600 then sum(gap_sum) / sum(gap_s) end as gap_kmh,
        case when sum(gap_s) >= 600 then sum(satellites_sum) / nullif(sum(satellites_s), 0) end
            as gap_satellites,
        -- one that stands still is known to be wrong, and says nothing against the other
        count_if(VehicleSpeed_frozen or gpsspeed_frozen) = 0 and gap_kmh > 5 as wide
    from hours
    group by all
),
units as (
    -- by the register on that day, else the class of vehicle stands for the model
    select
        m.hiveperiod,
        m.dstrct_code,
        m.unitno,
        coalesce(nullif(max(r.model), ''), max(m.unittype), '') as model
    from (select distinct hiveperiod, dstrct_code, unitno, unittype from minutes) as m
    left join {{ source('lake', 'devices') }} as r
        on r.dstrct_code = m.dstrct_code
        and r.unitno = m.unitno
        and m.hiveperiod >= r.valid_from
        and m.hiveperiod <= coalesce(r.valid_to, '9999-12-31')
    group by all
),
delivered as (
    select
        s.hiveperiod,
        s.dstrct_code,
        u.model,
        s.unitno,
        s.signal,
        sum(s.known) as known,
        -- stray values, and a unit that hardly ran, say nothing about what is fitted
        case
            when sum(s.known) >= 10 then true
            when sum(s.known) = 0 and sum(s.minutes) >= 30 then false
        end as delivers
    from signals as s
    join units as u using (hiveperiod, dstrct_code, unitno)
    group by all
),
sisters as (
    -- of every unit: all of its model that tell, less itself
    select
        * exclude (delivers, known),
        case when model = '' then 0 else count(delivers) over w - count(delivers) over own end
            as sisters,
        case
            when model = '' then 0
            else count(*) filter (delivers) over w - count(*) filter (delivers) over own
        end as sisters_with,
        case
            when delivers then true
            when known > 0 or sisters = 0 then null
            when sisters_with = 0 then false
            when 2 * sisters_with > sisters then true
        end as fitted
    from delivered
    window
        w as (partition by hiveperiod, dstrct_code, model, signal),
        own as (partition by hiveperiod, dstrct_code, model, signal, unitno)
),
told as (
    select
        s.* exclude (known, of_device),
        s.minutes - s.known as absent_minutes,
        x.model,
        x.sisters::bigint as sisters,
        x.sisters_with::bigint as sisters_with,
        s.of_device or x.fitted as fitted,
        g.gap_s,
        g.gap_kmh,
        g.gap_satellites,
        case
            when s.frozen_hours > 0 then 'frozen'
            -- six satellites and more tell the speed well: the wheels' must be wrong
            when
                g.wide
                and case s.signal when 'gpsspeed' then g.gap_satellites < 6 else g.gap_satellites >= 6 end
                    is not false
            then 'gap'
            when not (s.of_device or x.fitted) then 'not_fitted'
            when s.minutes < 10 then 'unseen'
            when s.known = 0 and (s.of_device or x.fitted) is null then 'untold'
            when s.known = 0 then 'missing'
            when 2 * s.known <= s.minutes then 'absent'
        end as reason
    from signals as s
    join sisters as x using (hiveperiod, dstrct_code, unitno, signal)
    left join gaps as g
        on g.hiveperiod = s.hiveperiod
        and g.dstrct_code = s.dstrct_code
        and g.unitno = s.unitno
        and g.deviceid = s.deviceid
        and s.signal in ('VehicleSpeed', 'gpsspeed')
)
select
    *,
    case
        when reason is null then true
        when reason in ('frozen', 'gap', 'missing', 'absent') then false
    end as trusted
from told
