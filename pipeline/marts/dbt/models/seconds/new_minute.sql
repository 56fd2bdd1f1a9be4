with
signals as (
    select
        t.dstrct_code,
        t.deviceid,
        time_bucket(interval 1 minute, t.ts) as minute,
        {%- for name in minute_signals() %}
        round(avg(t.{{ name }}), {{ digits(name) }})::float as {{ name }}_mean,
        round(min(t.{{ name }}), {{ digits(name) }})::float as {{ name }}_min,
        round(max(t.{{ name }}), {{ digits(name) }})::float as {{ name }}_max,
        {%- endfor %}
        round(avg(abs(t.gpsspeed - t.VehicleSpeed)), 1)::float as speed_gap_mean,
        round(max(abs(t.gpsspeed - t.VehicleSpeed)), 1)::float as speed_gap_max,
        count(t.gpsspeed - t.VehicleSpeed) as speed_gap_s,
        count(*) filter (t.speedsource = 'GPS') as speed_by_gps_s,
        count(*) filter (coalesce(t.EngineSpeed, t.VehicleSpeed, t.BatteryVoltage) is not null) as can_s,
        count(*) filter (t.camcabinstatus = 1 and coalesce(t.camcabinblocked, 0) = 0) as cam_cabin_up_s,
        count(*) filter (t.camcabinblocked = 1) as cam_cabin_blocked_s,
        -- a blink lasts a tenth to four tenths of a second: fewer frames miss it
        count(*) filter (
            t.camcabinstatus = 1 and coalesce(t.camcabinblocked, 0) = 0 and t.camcabinfps < 10
        ) as cam_cabin_slow_s,
        count(*) filter (t.camfrontstatus = 1) as cam_front_up_s,
        count(*) filter (coalesce(t.gpsfixtype, 0) >= 2 and coalesce(t.gpsfixage, 0) <= 5) as gps_fix_s,
        count(*) filter (t.netstatus = 'down') as net_down_s,
        count(*) filter (t.netstatus is not null) as net_known_s,
        median(t.netrsrp)::float as netrsrp_median,
        max(t.uploadbacklog)::float as uploadbacklog_max,
        min(t.storagefree)::float as storagefree_min,
        min(t.storagehealth)::float as storagehealth_min,
        max(abs(t.clockoffset))::float as clockoffset_max,
        max(t.yawncount)::float as yawncount_max,
        count(*) filter (t.SeatBelt = 0 and t.VehicleSpeed >= 10) as unbelted_s,
        {%- for name, field in [('lat', 'gpslat'), ('lon', 'gpslong'), ('heading', 'gpsheading')] %}
        -- to a metre or so
        round(
            arg_max(t.{{ field }}, t.ts) filter (
                t.gpsfixtype >= 2 and coalesce(t.gpsfixage, 0) <= 5
            ),
            {{ 0 if name == 'heading' else 5 }}
        )::{{ 'float' if name == 'heading' else 'double' }} as {{ name }},
        {%- endfor %}
        arg_max(t.EngineHours, t.ts) as EngineHours_last,
        arg_max(t.ServiceDistance, t.ts) as service_km,
        arg_max(t.fwversion, t.ts) as fwversion
    from {{ source('lake', 'telemetry') }} as t
    group by all
),
tenths as (
    -- blocks of ten seconds keep what is needed to say how sure a share of five minutes is
    select
        dstrct_code,
        deviceid,
        time_bucket(interval 1 minute, ts) as minute,
        floor(epoch(ts) % 60 / 10) as tenth,
        count(*) filter (tracked) as tracked_s,
        count(*) filter (valid) as valid_s,
        count(*) filter (valid and moving) as valid_moving_s,
        -- the device knows the share of its frames; a mean over the second hides short blinks
        coalesce(
            sum(coalesce(eyeclosedfrac, (opening < 0.60)::int)) filter (valid and moving), 0
        ) as closed_s
    from {{ ref('stg_eyes') }}
    where here
    group by all
),
eyes as (
    select
        dstrct_code,
        deviceid,
        minute,
        sum(tracked_s)::bigint as face_tracked_s,
        sum(valid_s)::bigint as eyes_valid_s,
        sum(valid_moving_s)::bigint as eyes_valid_moving_s,
        sum(closed_s) as eyes_closed_s,
        {%- for name, measure, kind in [
            ('valid_by_10s', 'valid_moving_s', 'utinyint'), ('closed_by_10s', 'closed_s', 'float')
        ] %}
        [
            {%- for tenth in range(6) %}
            coalesce(any_value({{ measure }}) filter (tenth = {{ tenth }}), 0)::{{ kind }}{{ ',' if not loop.last }}
            {%- endfor %}
        ] as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from tenths
    group by all
),
states as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        arg_max(unittype, ts) as unittype,
        time_bucket(interval 1 minute, ts) as minute,
        coalesce(arg_max(operatorid, ts) filter (operatorid <> ''), '') as operatorid,
        count(*) as seconds,
        count(*) filter (state = 'moving') as moving_s,
        count(*) filter (state = 'idle') as idle_s,
        count(*) filter (state = 'off') as off_s,
        count(*) filter (state = 'unknown') as unknown_s,
        round(sum(speed) filter (moving) / 3.6, 1)::float as metres
    from {{ ref('stg_seconds') }}
    where own
    group by all
),
one_device as (
    -- two devices in one minute of a unit: a swap, or a wrong unit number; the fuller one counts
    select *
    from states
    qualify row_number() over (partition by dstrct_code, unitno, minute order by seconds desc, deviceid) = 1
)
select
    o.*,
    coalesce(e.face_tracked_s, 0) as face_tracked_s,
    coalesce(e.eyes_valid_s, 0) as eyes_valid_s,
    coalesce(e.eyes_valid_moving_s, 0) as eyes_valid_moving_s,
    o.moving_s - coalesce(e.eyes_valid_moving_s, 0) as blind_moving_s,
    coalesce(e.eyes_closed_s, 0) as eyes_closed_s,
    case when e.eyes_valid_moving_s > 0 then e.valid_by_10s else [] end as valid_by_10s,
    case when e.eyes_valid_moving_s > 0 then e.closed_by_10s else [] end as closed_by_10s,
    s.* exclude (dstrct_code, deviceid, minute)
from one_device as o
join signals as s using (dstrct_code, deviceid, minute)
left join eyes as e using (dstrct_code, deviceid, minute)
