-- The speed of GPS against the speed of the wheels, by hour.
select
    d.hiveperiod,
    d.dstrct_code,
    m.unitno,
    m.deviceid,
    time_bucket(interval 1 hour, m.minute) as hour_start,
    sum(m.speed_gap_s)::bigint as seconds,
    sum(m.speed_gap_mean * m.speed_gap_s) / sum(m.speed_gap_s) as gap_mean,
    max(m.speed_gap_max) as gap_max,
    sum(m.gpsnumsat_mean * m.seconds) / sum(m.seconds) filter (m.gpsnumsat_mean is not null)
        as satellites_mean,
    min(m.gpsnumsat_min) as satellites_min,
    sum(m.speed_by_gps_s) / sum(m.seconds) as by_gps_share
from {{ source('rows', 'unit_minute_rows') }} as m
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
group by all
having sum(m.speed_gap_s) > 0
