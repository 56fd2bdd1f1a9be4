-- Speeds, engine and state by second, with what the device said about itself. Rows of the hours that
-- are built are `own`; those shortly before and after them are there so that nothing starts at an
-- hour's border. Windows start afresh after a gap of more than 10 s.
with
seconds as (
    select
        t.deviceid,
        coalesce(t.unitno, t.deviceid) as unitno,
        coalesce(t.unittype, '') as unittype,
        t.dstrct_code,
        t.hiveperiod,
        t.ts,
        t._src,
        to_timestamp(floor((epoch(t.ts) - d.offset_s) / 3600) * 3600 + d.offset_s) as hour_start,
        coalesce(nullif(t.operatorid, ''), '') as operatorid,
        t.EngineSpeed,
        t.EngineLoad,
        t.VehicleSpeed,
        t.gpsfixtype,
        t.EngineHours,
        coalesce(t.HighResTotalDistance, t.TotalDistance) as odometer_km,
        t.TotalFuelUsed,
        t.loadcount,
        t.payload,
        t.seqno,
        t.bootcount,
        case
            when t.speedsource = 'GPS' then coalesce(t.gpsspeed, t.VehicleSpeed)
            else coalesce(t.VehicleSpeed, t.gpsspeed)
        end as speed,
        case
            when t.EngineSpeed is not null then t.EngineSpeed >= 400
            when t.ignition = 0 then false
            when t.AlternatorVoltage >= 26.5 then true
        end as engine_on
    from {{ source('lake', 'telemetry') }} as t
    join {{ source('lake', 'districts') }} as d using (dstrct_code)
),
stretches as (
    select
        *,
        coalesce(ts - lag(ts) over w > interval 10 seconds, true) as fresh,
        case when speed >= 5 then true when speed < 3 then false end as decided
    from seconds
    window w as (partition by deviceid order by ts)
),
moves as (
    select
        *,
        -- rows are in the order of ts: the last value is the greatest, and is found sooner
        last_value(case when fresh then ts end ignore nulls) over before as run_start,
        last_value(decided ignore nulls) over before as last_decided,
        last_value(case when decided is not null then ts end ignore nulls)
            over before as decided_at
        {%- for name, test in conditions().items() %},
        last_value(case when ({{ test }}) is not true then ts end ignore nulls)
            over before as "not {{ name }}"
        {%- endfor %}
    from stretches
    window before as (partition by deviceid order by ts rows unbounded preceding)
),
stated as (
    select
        m.* exclude (
            decided, fresh, run_start, last_decided, decided_at, EngineLoad, VehicleSpeed, gpsfixtype
            {%- for name in conditions() %}, "not {{ name }}"{% endfor %}
        ),
        {%- for name, test in conditions().items() %}
        -- seconds for which a band's condition has held, in this run of rows; NULL while it does not.
        -- Held since before the first row: nobody knows how long.
        case when {{ test }} then
            epoch(m.ts)
            - epoch(greatest(m."not {{ name }}", m.run_start - interval 1 second)) - 1
        end as "{{ name }}",
        {%- endfor %}
        -- 15 minutes between 3 and 5 km/h: nobody knows any more how that began
        m.speed is not null
        and coalesce(
            m.last_decided
            and m.decided_at >= greatest(m.run_start, m.ts - interval 15 minutes),
            false
        ) as moving,
        h.hour_start is not null as own
    from moves as m
    left join {{ source('lake', 'hours') }} as h using (dstrct_code, hour_start)
),
shared as (
    select dstrct_code, unitno
    from stated
    group by dstrct_code, unitno
    having min(deviceid) < max(deviceid)
),
once as (
    select * from stated anti join shared using (dstrct_code, unitno)
    union all
    -- A second of a unit counts once, also when a second device carries its number. Districts number
    -- their units by themselves.
    select *
    from stated
    semi join shared using (dstrct_code, unitno)
    qualify row_number() over (partition by dstrct_code, unitno, ts order by deviceid) = 1
)
select
    *,
    case
        when moving then 'moving'
        when not engine_on then 'off'
        when speed is null or engine_on is null then 'unknown'
        else 'idle'
    end as state
from once
