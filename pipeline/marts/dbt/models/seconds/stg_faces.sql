-- What the cab camera saw, once for every hour in which it is judged: its own seconds, and the last 60
-- before it, so that a closure over the hour's border is seen whole by the later one.
with
seen as (
    select
        s.deviceid,
        s.unitno,
        s.dstrct_code,
        s.hiveperiod,
        s.ts,
        s._src,
        s.hour_start,
        s.own,
        s.operatorid,
        coalesce(nullif(s.operatorid, ''), s.unitno) as operator,
        s.speed,
        s.moving,
        t.camcabinstatus = 1 and coalesce(t.camcabinblocked, 0) = 0 as camera_up,
        coalesce(t.driverpresent = 1, false) as present,
        coalesce(t.faceconf >= 0.6, false) as sure,
        coalesce(t.eyewear, 'none') = 'sun' as shaded,
        coalesce(try_cast(split_part(t.fwversion, '.', 1) as integer) >= 3, false) as means,
        t.ear,
        coalesce(t.earmin, t.ear) as earmin,
        t.earbaseline,
        t.eyeclosedfrac,
        t.eyecloseddur,
        t.headpitch,
        t.headyaw,
        t.mar,
        t.yawncount,
        coalesce(t.CurrentGear > 0, false) as forward,
        coalesce(t.dmsalarm = 1 or t.fatiguelevel = 3, false) as alarm
    from {{ ref('stg_seconds') }} as s
    join {{ source('lake', 'telemetry') }} as t using (deviceid, ts)
),
placed as (
    select *, hour_start as at_hour from seen where own
    union all
    select s.* replace (h.hiveperiod as hiveperiod), h.hour_start
    from seen as s
    join {{ source('lake', 'hours') }} as h
        on h.dstrct_code = s.dstrct_code and h.hour_start = s.hour_start + interval 1 hour
    where s.ts >= h.hour_start - interval 60 seconds
)
select
    * exclude (camera_up, present, sure, shaded),
    coalesce(camera_up, false) as camera_up,
    present,
    coalesce(camera_up and present and sure, false) as tracked,
    coalesce(camera_up and present and sure and not shaded and ear is not null, false) as readable
from placed
