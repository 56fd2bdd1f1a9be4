-- Radio coverage by cell of 0.005 degrees (about 550 m), from the minutes that were spent in it.
select
    d.hiveperiod,
    d.dstrct_code,
    floor(m.lat / 0.005)::bigint as lat_cell,
    floor(m.lon / 0.005)::bigint as lon_cell,
    (floor(m.lat / 0.005) + 0.5) * 0.005 as lat,
    (floor(m.lon / 0.005) + 0.5) * 0.005 as lon,
    count(distinct m.unitno) as units,
    -- of two units at most these are all: so days together tell whether there were three
    min(m.unitno) as first_unit,
    max(m.unitno) as last_unit,
    sum(m.net_known_s)::bigint as seconds,
    sum(m.net_down_s)::bigint as down_s,
    sum(m.net_down_s) / sum(m.net_known_s) as down_share,
    median(m.netrsrp_median) as rsrp_median,
    count(distinct m.unitno) >= 3 and sum(m.net_known_s) >= 600 as enough
from {{ source('rows', 'unit_minute_rows') }} as m
join {{ source('lake', 'days') }} as d using (hiveperiod, dstrct_code)
where m.lat is not null and m.net_known_s > 0
group by all
