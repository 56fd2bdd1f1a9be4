-- Districts of which nothing has come for four hours of today.
{{ config(severity='warn') }}
select d.hiveperiod, d.dstrct_code, max(h.hour_start) filter (h.key is not null) as newest
from {{ source('lake', 'days') }} as d
join {{ ref('device_hour') }} as h using (hiveperiod, dstrct_code)
where d.now >= greatest(d.start_ts, d.known_from) + interval 4 hours and d.now < d.end_ts
group by all
having coalesce(newest + interval 1 hour < any_value(d.now) - interval 4 hours, true)
