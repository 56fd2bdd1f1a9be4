-- Only seconds in which the eyes can be judged, with the open-eye level of their operator.
with
seen as (
    select
        t.deviceid,
        coalesce(t.unitno, t.deviceid) as unitno,
        t.dstrct_code,
        t.hiveperiod,
        t.ts,
        t._src,
        coalesce(nullif(t.operatorid, ''), t.unitno, t.deviceid) as operator,
        t.operatorid,
        t.ear,
        t.earmin,
        t.eyeclosedfrac,
        t.eyecloseddur,
        t.earbaseline,
        t.headpitch
    from {{ source('lake', 'telemetry') }} as t
    where
        t.camcabinstatus = 1
        and coalesce(t.camcabinblocked, 0) = 0
        and t.driverpresent = 1
        and t.faceconf >= 0.6
        and coalesce(t.eyewear, 'none') <> 'sun'
        and t.ear is not null
),
operators as (
    select
        operator,
        median(headpitch) as pitch,
        median(earbaseline) as baseline
    from seen
    group by operator
),
levels as (
    -- σ is the spread of seconds with open eyes: those above 0.75 of the level
    select
        s.operator,
        coalesce(any_value(o.baseline), median(s.ear)) as open_ear,
        stddev_samp(s.ear) filter (s.ear > 0.75 * coalesce(o.baseline, 0)) as sigma,
        coalesce(quantile_cont(coalesce(s.earmin, s.ear), 0.05), 0.08) as closed_ear
    from seen as s
    join operators as o using (operator)
    group by s.operator
)
select
    s.*,
    l.open_ear,
    s.ear < 0.60 * l.open_ear as closed
from seen as s
join operators as o using (operator)
join levels as l using (operator)
where
    abs(coalesce(s.headpitch, o.pitch, 0) - coalesce(o.pitch, 0)) <= 10
    -- eyes too narrow for the noise cannot be judged: that is blind, not awake
    and l.open_ear - least(l.closed_ear, 0.5 * l.open_ear) >= 4 * coalesce(l.sigma, 0)
