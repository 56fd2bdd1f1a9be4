-- The parts of a device over a production day: how much of the observed time each was well, since when
-- it is not, why, and what to do.
with
minutes as (
    select
        s.hiveperiod,
        m.* exclude (hiveperiod),
        -- where no box is told no position is outside
        not coalesce(
            m.lat between d.south and d.north and m.lon between d.west and d.east, true
        ) as is_outside
    from {{ source('lake', 'shifts') }} as s
    join {{ source('rows', 'unit_minute_rows') }} as m
        on m.dstrct_code = s.dstrct_code
        and m.minute >= to_timestamp(s.from_s)
        and m.minute < to_timestamp(s.until_s)
    join {{ source('lake', 'districts') }} as d on d.dstrct_code = s.dstrct_code
),
parts as (
    {%- set parts = [
        ('cab_camera', 'seconds', 'cam_cabin_up_s - coalesce(cam_cabin_slow_s, 0)',
         "case when cam_cabin_blocked_s > 0 then 'blocked'"
         " when cam_cabin_slow_s > seconds - cam_cabin_up_s then 'slow' else 'down' end",
         'wipe or free the lens, look at the cable; if slow, restart the device'),
        ('front_camera', 'seconds', 'cam_front_up_s', "'down'", 'look at the camera and its cable'),
        ('gps', 'seconds', 'case when is_outside then 0 else gps_fix_s end',
         "case when is_outside then 'outside' else 'no fix' end",
         'look at the antenna: sky, cable, plug; outside: is the unit there?'),
        ('vehicle_bus', 'moving_s + idle_s', 'least(can_s, moving_s + idle_s)', "'silent'",
         'look at the plug of the vehicle bus'),
        ('storage', 'seconds',
         'case when storagefree_min < 3 or storagehealth_min < 10 then 0 else seconds end',
         "case when storagefree_min < 3 then 'nearly full' else 'worn out' end",
         'fetch the files by cable; replace the card'),
        ('temperature', 'seconds', 'case when cputemp_max > 85 then 0 else seconds end', "'hot'",
         'free the air way, move it out of the sun'),
        ('clock', 'seconds', 'case when clockoffset_max > 2000 then 0 else seconds end', "'wrong'",
         'give it a GPS fix or a network'),
        ('uploads', 'seconds', 'case when uploadbacklog_max >= 3 then 0 else seconds end',
         "'waiting'", 'bring it into coverage; restart the uploader'),
    ] %}
    {%- for part, observed, up, reason, action in parts %}
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        minute,
        '{{ part }}' as part,
        ({{ observed }})::bigint as observed_s,
        ({{ up }})::bigint as up_s,
        {{ reason }} as reason,
        '{{ action }}' as action
    from minutes
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),
days as (
    select
        hiveperiod,
        dstrct_code,
        unitno,
        deviceid,
        part,
        sum(observed_s)::bigint as observed_s,
        sum(up_s)::bigint as up_s,
        max(minute) filter (up_s >= 0.5 * observed_s) as last_well,
        max(minute) as last_minute,
        mode(reason) filter (up_s < 0.5 * observed_s) as reason,
        any_value(action) as action
    from parts
    where observed_s > 0
    group by all
),
since as (
    select d.hiveperiod, d.dstrct_code, d.deviceid, d.unitno, d.part, min(p.minute) as since
    from days as d
    join parts as p using (hiveperiod, dstrct_code, deviceid, unitno, part)
    where p.observed_s > 0 and (d.last_well is null or p.minute > d.last_well)
    group by all
)
select
    d.hiveperiod,
    d.dstrct_code,
    d.unitno,
    d.deviceid,
    d.part,
    d.observed_s,
    d.up_s,
    d.up_s / d.observed_s as uptime,
    case
        when d.up_s >= 0.98 * d.observed_s then 'well'
        when d.up_s >= 0.5 * d.observed_s then 'at_times'
        else 'unwell'
    end as state,
    case when d.up_s < 0.98 * d.observed_s then coalesce(d.reason, 'at times') end as reason,
    s.since,
    d.last_well is null as all_day,
    case when d.up_s < 0.98 * d.observed_s then d.action end as action
from days as d
left join since as s using (hiveperiod, dstrct_code, deviceid, unitno, part)
