-- Speeds, engine and state by second. Windows start afresh after a gap of more than 10 s.
with
days as (select * from {{ source('lake', 'days') }}),
seconds as (
    select
        deviceid,
        coalesce(unitno, deviceid) as unitno,
        coalesce(unittype, '') as unittype,
        dstrct_code,
        hiveperiod,
        ts,
        _src,
        EngineSpeed,
        EngineHours,
        coalesce(HighResTotalDistance, TotalDistance) as odometer_km,
        TotalFuelUsed,
        ServiceDistance,
        FuelLevel,
        loadcount,
        payload,
        seqno,
        bootcount,
        fwversion,
        operatorid,
        gpslat,
        gpslong,
        gpsheading,
        gpsspeed,
        VehicleSpeed,
        DtcSpn,
        DtcFmi,
        DtcSource,
        camcabinstatus = 1 and coalesce(camcabinblocked, 0) = 0 as cabin_up,
        camfrontstatus = 1 as front_up,
        coalesce(gpsfixtype, 0) >= 2 and coalesce(gpsfixage, 0) <= 5 as gps_fix,
        netstatus = 'down' as net_down,
        case
            when speedsource = 'GPS' then coalesce(gpsspeed, VehicleSpeed)
            else coalesce(VehicleSpeed, gpsspeed)
        end as speed,
        case
            when EngineSpeed is not null then EngineSpeed >= 400
            when ignition = 0 then false
            when AlternatorVoltage >= 26.5 then true
        end as engine_on
    from {{ source('lake', 'telemetry') }}
),
stretches as (
    select
        *,
        ts - lag(ts) over w > interval 10 seconds as after_gap,
        case when speed >= 5 then true when speed < 3 then false end as decided
    from seconds
    window w as (partition by deviceid order by ts)
),
runs as (
    select
        *,
        count_if(after_gap) over (partition by deviceid order by ts rows unbounded preceding) as run
    from stretches
),
moves as (
    select
        * exclude (decided, after_gap),
        speed is not null and coalesce(
            last_value(decided ignore nulls) over (
                partition by deviceid, run order by ts rows unbounded preceding
            ),
            false
        ) as moving
    from runs
),
shared as (select unitno from moves group by unitno having min(deviceid) < max(deviceid)),
once as (
    select * from moves where unitno not in (select unitno from shared)
    union all
    -- A second of a unit counts once, also when a second device carries its number.
    select *
    from moves
    where unitno in (select unitno from shared)
    qualify row_number() over (partition by unitno, ts order by deviceid) = 1
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
