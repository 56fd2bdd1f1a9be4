with
signals as (
    select
        deviceid,
        time_bucket(interval 1 minute, ts) as minute,
        {%- for name in minute_signals() %}
        avg({{ name }}) as {{ name }}_mean,
        min({{ name }}) as {{ name }}_min,
        max({{ name }}) as {{ name }}_max,
        {%- endfor %}
        avg(abs(gpsspeed - VehicleSpeed)) as speed_gap_mean,
        max(abs(gpsspeed - VehicleSpeed)) as speed_gap_max
    from {{ source('lake', 'telemetry') }}
    group by all
),
eyes as (select deviceid, ts, true as seen from {{ ref('stg_eyes') }}),
states as (
    select
        s.hiveperiod,
        s.dstrct_code,
        s.unitno,
        s.deviceid,
        arg_max(s.unittype, s.ts) as unittype,
        time_bucket(interval 1 minute, s.ts) as minute,
        count(*) as seconds,
        count_if(s.state = 'moving') as moving_s,
        count_if(s.state = 'idle') as idle_s,
        count_if(s.state = 'off') as off_s,
        count_if(s.state = 'unknown') as unknown_s,
        count_if(s.cabin_up) as cam_cabin_up_s,
        count_if(s.front_up) as cam_front_up_s,
        count_if(s.gps_fix) as gps_fix_s,
        count_if(e.seen) as eyes_valid_s,
        count_if(s.state = 'moving' and e.seen is null) as blind_moving_s,
        count_if(s.net_down) as net_down_s,
        arg_max(s.gpslat, s.ts) filter (s.gps_fix) as lat,
        arg_max(s.gpslong, s.ts) filter (s.gps_fix) as lon,
        arg_max(s.gpsheading, s.ts) filter (s.gps_fix) as heading
    from {{ ref('stg_seconds') }} as s
    left join eyes as e on e.deviceid = s.deviceid and e.ts = s.ts
    group by all
),
one_device as (
    -- two devices in one minute of a unit: a swap, or a wrong unit number; the fuller one counts
    select *
    from states
    qualify row_number() over (partition by unitno, minute order by seconds desc, deviceid) = 1
)
select
    one_device.*,
    signals.* exclude (deviceid, minute)
from one_device
join signals using (deviceid, minute)
